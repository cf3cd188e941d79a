import { describe, expect, test } from 'vitest'
import { laterAccess, noAccessChange } from '../src/log/access-changes.ts'
import type { AccessChange } from '../src/log/rows.ts'

const person = (id: string, roles: readonly string[] = ['approver']) => ({
  id,
  roles,
  roles_from: 'local' as const,
  provider_subject: null,
  since: 0,
})
const session = (id: string, of: string) => ({
  id,
  token_sha256: '00',
  person: of,
  method: 'link',
  epoch: 0,
  client: '',
  created_at: null,
  expires_at: '2030-01-01T00:00:00.000Z',
})
const password = (of: string, value = 'hash') => ({
  person: of,
  kind: 'password' as const,
  id: '',
  value,
  is_usable: true,
})

/** What these changes of one batch come to. */
function together(...changes: readonly AccessChange[]) {
  return changes.reduce<Required<AccessChange>>(laterAccess, noAccessChange)
}

describe('changes of access in one batch', () => {
  test('to different people stand side by side', () => {
    const { peopleSet, peopleRemoved, sessionsOpened } = together(
      { peopleSet: [person('ann')] },
      { peopleRemoved: [{ id: 'bob' }] },
      { sessionsOpened: [session('s1', 'cyd')] },
    )
    expect([peopleSet.map(({ id }) => id), peopleRemoved, sessionsOpened.map(({ id }) => id)]).toEqual([
      ['ann'],
      [{ id: 'bob' }],
      ['s1'],
    ])
  })

  test('open no session for whoever is signed out or removed, whichever came first', () => {
    for (const end of [{ signedOut: [{ id: 'ann', links: true }] }, { peopleRemoved: [{ id: 'ann' }] }]) {
      const open = { sessionsOpened: [session('s1', 'ann')] }
      expect(together(open, end).sessionsOpened).toEqual([])
      expect(together(end, open).sessionsOpened).toEqual([])
    }
  })

  test('open no session that is ended at once', () => {
    const open = { sessionsOpened: [session('s1', 'ann'), session('s2', 'ann')] }
    expect(together(open, { sessionsEnded: [{ id: 's1' }] }).sessionsOpened.map(({ id }) => id)).toEqual([
      's2',
    ])
  })

  test('let the last password stand, and none beside a removal', () => {
    const set = (value: string) => ({ credentialsSet: [password('ann', value)] })
    const gone = { credentialsRemoved: [{ person: 'ann', kind: 'password' as const }] }
    expect(together(set('one'), set('two')).credentialsSet.map(({ value }) => value)).toEqual(['two'])
    expect(together(set('one'), gone).credentialsSet).toEqual([])
    // One statement cannot write a row that it removes.
    expect(together(gone, set('one')).credentialsSet).toEqual([])
    expect(together(gone, { credentialsSet: [password('bob')] }).credentialsSet).toHaveLength(1)
  })

  test('put new recovery codes in the place of old ones', () => {
    const codes = (id: string) => ({
      credentialsRemoved: [{ person: 'ann', kind: 'recovery' as const }],
      credentialsSet: [{ person: 'ann', kind: 'recovery' as const, id, value: '', is_usable: true }],
    })
    expect(together(codes('a')).credentialsSet.map(({ id }) => id)).toEqual(['a'])
    expect(together(codes('a'), codes('b')).credentialsSet.map(({ id }) => id)).toEqual(['b'])
  })

  test('give a person who is removed and added again nothing of before', () => {
    const again = together({ peopleRemoved: [{ id: 'ann' }] }, { peopleSet: [person('ann', ['viewer'])] })
    expect(again.peopleSet.map(({ roles }) => roles)).toEqual([['viewer']])
    expect(again.peopleRemoved).toEqual([])
    expect(again.signedOut).toEqual([{ id: 'ann', links: true }])
    expect(again.credentialsRemoved.map(({ kind }) => kind).toSorted()).toEqual([
      'password',
      'recovery',
      'totp',
    ])
  })

  test('make no sign-in link for whoever is signed out with all links, or removed, after it', () => {
    const made = {
      linksMade: [{ token_sha256: '00', person: 'ann', expires_at: '2030-01-01T00:00:00.000Z' }],
    }
    const out = { signedOut: [{ id: 'ann', links: true }] }
    const gone = { peopleRemoved: [{ id: 'ann' }] }
    expect(together(made, out).linksMade).toEqual([])
    expect(together(made, gone).linksMade).toEqual([])
    expect(together(gone, made).linksMade).toEqual([])
    expect(together(out, made).linksMade).toHaveLength(1)
    expect(together(made, { signedOut: [{ id: 'ann', links: false }] }).linksMade).toHaveLength(1)
  })

  test('revoke a key that was also to end later', () => {
    const ending = { keysEnding: [{ id: 'k', expires_at: '2030-01-01T00:00:00.000Z' }] }
    const revoked = { keysRevoked: [{ id: 'k' }] }
    for (const both of [together(ending, revoked), together(revoked, ending)]) {
      expect([both.keysEnding, both.keysRevoked]).toEqual([[], [{ id: 'k' }]])
    }
  })
})
