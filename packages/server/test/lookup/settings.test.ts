import { Fault } from '@bailiwick/core'
import { describe, expect, test } from 'vitest'
import { lookupSettings, sourceKey } from '../../src/lookup/settings.ts'

const hosts = (text: string | object, more: Record<string, string> = {}) =>
  lookupSettings({
    BAILIWICK_LOOKUP_HOSTS: typeof text === 'string' ? text : JSON.stringify(text),
    ...more,
  })

describe('whom lookups may ask', () => {
  test('is nobody, unless the environment says so', () => {
    for (const env of [{}, { BAILIWICK_LOOKUP_HOSTS: ' ', BAILIWICK_SOURCE_ORDERS: '' }]) {
      const { origins, databases } = lookupSettings(env)
      expect([origins.size, databases.size]).toEqual([0, 0])
    }
  })

  test('is a list of origins', () => {
    const { origins } = hosts(
      'https://crm.example.com, https://Risk.example.com:8443\nhttps://a.example:443/',
    )
    expect([...origins]).toEqual([
      ['https://crm.example.com', { name: 'crm.example.com', headers: {}, allowPrivate: false }],
      ['https://risk.example.com:8443', { name: 'risk.example.com:8443', headers: {}, allowPrivate: false }],
      ['https://a.example', { name: 'a.example', headers: {}, allowPrivate: false }],
    ])
  })

  test('or an object that says more of each: private, and headers from variables of their own', () => {
    const { origins } = hosts(
      {
        'http://127.0.0.1:9000': { private: true, headers: { Authorization: 'CRM_TOKEN' } },
        'https://[2606:4700::1]': {},
      },
      { CRM_TOKEN: 'Bearer s3cret\n' },
    )
    expect(Object.fromEntries(origins)).toEqual({
      'http://127.0.0.1:9000': {
        name: '127.0.0.1:9000',
        headers: { authorization: 'Bearer s3cret' },
        allowPrivate: true,
      },
      'https://[2606:4700::1]': { name: '[2606:4700::1]', headers: {}, allowPrivate: false },
    })
  })

  test.each([
    'crm.example.com',
    'https://crm.example.com/customers',
    'https://crm.example.com?x',
    'https://user:s3cret@crm.example.com',
    'ftp://crm.example.com',
    'https://*.example.com',
    'https://a.example https://a.example:443',
    'http://crm.example.com',
    'https://127.0.0.1',
    'https://10.0.0.1',
    'https://0x7f.1',
    'https://[::1]',
    'https://169.254.169.254',
    '{"https://a.example": true}',
    '{"https://a.example": {"privat": true}}',
    '{"https://a.example": {}, "https://a.example": {"private": true}}',
    '{"http://8.8.8.8": {"private": true}}',
    '{"https://169.254.169.254": {"private": true}}',
    '{"https://a.example": {"headers": {"authorization": "Bearer s3cret"}}}',
    '{"https://a.example": {"headers": {"authorization": "UNSET"}}}',
    '{"https://a.example": {"headers": {"authorization": "EMPTY"}}}',
    '{"https://a.example": {"headers": {"authorization": "TWO_LINES"}}}',
    '{"https://a.example": {"headers": {"authorization": "constructor"}}}',
    '{"https://a.example": {"headers": {"host": "TOKEN"}}}',
    '{"https://a.example": {"headers": {"content-length": "TOKEN"}}}',
    '{"https://a.example": {"headers": {"x key": "TOKEN"}}}',
    '{"https://a.example": {"headers": {"x-key": "TOKEN", "X-Key": "TOKEN"}}}',
    '{"https://a.example": ',
  ])('%s is refused, in words that repeat no secret', (text) => {
    const env = { TOKEN: 's3cret', EMPTY: ' ', TWO_LINES: 's3cret\r\nx: s3cret' }
    expect(() => hosts(text, env)).toThrow(Fault)
    expect(() => hosts(text, env)).toThrow(expect.objectContaining({ code: 'bad_input' }))
    expect(() => hosts(text, env)).not.toThrow(/s3cret/)
  })
})

describe('databases that lookups may ask', () => {
  test('are named by the end of their variables', () => {
    const { databases } = lookupSettings({
      BAILIWICK_SOURCE_ORDERS: 'postgresql://reader:s3cret@db.internal/orders ',
      BAILIWICK_SOURCE_CRM_EU: 'postgres://reader@crm.internal/crm',
    })
    expect([...databases.keys()]).toEqual(['ORDERS', 'CRM_EU'])
    expect(databases.get('ORDERS')).toEqual({
      connectionString: 'postgresql://reader:s3cret@db.internal/orders',
    })
  })

  test.each([
    ['orders', 'ORDERS'],
    ['crm-eu', 'CRM_EU'],
    ['Crm.Eu', 'CRM_EU'],
    ['órders', undefined],
    ['', undefined],
  ])('a policy that says `source: %s` means %s', (source, key) => {
    expect(sourceKey(source)).toBe(key)
  })

  test.each([
    ['BAILIWICK_SOURCE_ORDERS', 'mysql://s3cret@db/orders'],
    ['BAILIWICK_SOURCE_ORDERS', 's3cret'],
    ['BAILIWICK_SOURCE_ORDERS', 'postgresql://user:s3cret@db:port/orders'],
    ['BAILIWICK_SOURCE_orders', 'postgresql://user:s3cret@db/orders'],
    ['BAILIWICK_SOURCE_', 'postgresql://user:s3cret@db/orders'],
  ])('%s=%s is refused, in words that repeat no secret', (variable, text) => {
    expect(() => lookupSettings({ [variable]: text })).toThrow(expect.objectContaining({ code: 'bad_input' }))
    expect(() => lookupSettings({ [variable]: text })).not.toThrow(/s3cret/)
  })
})
