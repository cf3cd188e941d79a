import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agentId } from '../harness/policies.ts'
import { ServicePlace } from '../harness/service.ts'

let place: ServicePlace
let url: string
let keys: Awaited<ReturnType<typeof generateKeyPair>>

beforeAll(async () => {
  place = await ServicePlace.onServer()
  keys = await generateKeyPair('ES256', { extractable: true })
  const file = join(place.dir, 'jwks.json')
  await writeFile(
    file,
    JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256' }] }),
  )
  const service = await place.start({
    env: {
      BAILIWICK_JWT_ISSUER: 'https://issuer.example',
      BAILIWICK_JWT_AUDIENCE: 'bailiwick',
      BAILIWICK_JWT_JWKS_FILE: file,
    },
  })
  url = service.url
})
afterAll(() => place.remove())

async function token(sub: string, audience = 'bailiwick'): Promise<string> {
  return await new SignJWT({ sub })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setIssuer('https://issuer.example')
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(keys.privateKey)
}

async function decide(bearer: string, amount: number) {
  const response = await fetch(`${url}/v1/decisions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
    body: JSON.stringify({ action: 'issue_refund', params: { amount } }),
  })
  return {
    status: response.status,
    body: (await response.json()) as { readonly id?: string; readonly effect?: string },
  }
}

test('a token decides as the agent that it names, under that agent’s policy, and sees that agent’s decisions only', async () => {
  const ours = await token(agentId)
  const decided = await decide(ours, 1)
  expect(decided).toMatchObject({ status: 200, body: { effect: 'allow' } })
  const theirs = await token('nobodys-agent')
  expect(await decide(theirs, 1)).toMatchObject({ status: 200, body: { effect: 'deny' } })
  const seen = async (bearer: string) =>
    (
      await fetch(`${url}/v1/decisions/${decided.body.id}`, {
        headers: { authorization: `Bearer ${bearer}` },
      })
    ).status
  expect([await seen(ours), await seen(theirs)]).toEqual([200, 404])
  // A key of the same agent speaks for it as well.
  expect(await decide(await place.createKey(), 1)).toMatchObject({ status: 200, body: { effect: 'allow' } })
})

test('a token that is not for this service decides nothing, and votes for nobody', async () => {
  expect((await decide(await token(agentId, 'another-service'), 1)).status).toBe(401)
  const vote = await fetch(`${url}/v1/approvals/apr_1/votes`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await token('admin@localhost')}`,
    },
    body: JSON.stringify({ vote: 'approve' }),
  })
  expect(vote.status).toBe(403)
})
