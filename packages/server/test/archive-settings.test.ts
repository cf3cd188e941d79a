import { describe, expect, test } from 'vitest'
import { archiveSettings } from '../src/archive-settings.ts'

const day = 24 * 60 * 60 * 1000

describe('What is said of archiving', () => {
  test('is nothing by default: 90 days, six months, no store', () => {
    expect(archiveSettings({})).toEqual({
      partition: 'week',
      hotMs: 90 * day,
      retentionMs: 184 * day,
      store: undefined,
    })
  })

  test('may keep records longer, and never shorter than six months', () => {
    expect(archiveSettings({ BAILIWICK_RETENTION: '3650d' }).retentionMs).toBe(3650 * day)
    expect(archiveSettings({ BAILIWICK_HOT: '400d' }).retentionMs).toBe(400 * day)
    for (const few of ['183d', '1d']) {
      expect(() => archiveSettings({ BAILIWICK_RETENTION: few })).toThrow('at least 184')
    }
  })

  test.each(['0d', '90', '-1d', '1.5d', 'ninety', '6 months'])('refuses %s as a number of days', (text) => {
    expect(() => archiveSettings({ BAILIWICK_HOT: text })).toThrow('no number of days')
    expect(() => archiveSettings({ BAILIWICK_RETENTION: text })).toThrow('no number of days')
  })

  test('names a directory or a bucket, with all that it takes', () => {
    expect(archiveSettings({ BAILIWICK_ARCHIVE: 'file:/srv/archive' }).store?.address).toBe(
      'file:///srv/archive',
    )
    const credentials = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
    const address = 's3://logs/bailiwick?endpoint=https%3A%2F%2Fs3.example.com&region=eu-1'
    const store = archiveSettings({ BAILIWICK_ARCHIVE: address, ...credentials }).store
    expect(store?.address).toBe(address)
    expect(() => archiveSettings({ BAILIWICK_ARCHIVE: address })).toThrow('no credentials')
    for (const wrong of [
      '/srv/archive',
      'https://example.com',
      's3://',
      `${address}&lock=maybe`,
      `${address}&acl=public`,
    ]) {
      expect(() => archiveSettings({ BAILIWICK_ARCHIVE: wrong, ...credentials })).toThrow(
        'is no place for an archive',
      )
    }
  })
})
