import { describe, expect, test } from 'vitest'
import { Fault } from '@bailiwick/core'
import { peerSettings } from '../../src/peers/peer-settings.ts'

const at = (host: string, env: Record<string, string> = {}) => peerSettings(env, { host, port: 7420 })

describe('where other services reach this one', () => {
  test('is where it listens, unless somebody has set it', () => {
    expect(at('127.0.0.1')).toEqual({ together: true, url: 'http://127.0.0.1:7420', replyMs: undefined })
    expect(at('10.0.0.7').url).toBe('http://10.0.0.7:7420')
    expect(at('fd00::7').url).toBe('http://[fd00::7]:7420')
    expect(at('127.0.0.1', { BAILIWICK_PEER_URL: 'https://two.internal/' }).url).toBe('https://two.internal')
    expect(at('127.0.0.1', { BAILIWICK_PEER_URL: '' }).url).toBe('http://127.0.0.1:7420')
  })

  test('is never every address at once', () => {
    for (const host of ['0.0.0.0', '::']) {
      const { url } = at(host)
      expect(new URL(url ?? '').hostname).not.toMatch(/^0\.0\.0\.0$|^\[::\]$/)
    }
  })

  test('can be nowhere: it then writes by itself', () => {
    expect(at('10.0.0.7', { BAILIWICK_PEER_URL: 'off' })).toMatchObject({ together: false, url: undefined })
  })

  test.each(['two.internal:7420', 'ftp://two.internal', 'http://two.internal/path', 'http://a:b@two', 'on'])(
    'is not `%s`, which is refused',
    (text) => {
      expect(() => at('127.0.0.1', { BAILIWICK_PEER_URL: text })).toThrow(Fault)
    },
  )

  test('waits for an answer as long as is set, from 1 to 60 seconds', () => {
    expect(at('127.0.0.1', { BAILIWICK_PEER_TIMEOUT: '8' }).replyMs).toBe(8_000)
    for (const text of ['0', '61', '1.5', 'soon', '-1']) {
      expect(() => at('127.0.0.1', { BAILIWICK_PEER_TIMEOUT: text })).toThrow('`BAILIWICK_PEER_TIMEOUT`')
    }
  })
})
