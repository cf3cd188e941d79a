import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Json } from '@bailiwick/core'
import { describeOnPostgres, type TestDatabase } from '../../../store/test/harness/postgres.ts'
import { eventually } from '../harness/eventually.ts'
import type { Lookups } from '../../src/lookup/lookups.ts'
import { lookupsFor, only, sqlNeed } from './needs.ts'

const failed = (why: string) => ({ kind: 'failed', why })
const value = (found: Json) => ({ kind: 'value', value: found })

const TABLES = `
  create table orders (id int primary key, customer text, amount numeric);
  insert into orders values (1, 'alice', 12.50), (2, 'alice', 100), (3, 'bob', 0.1);
  create sequence numbers;
  create function writes() returns int language sql as $$ insert into orders values (99, 'x', 1); select 1 $$`

describeOnPostgres('a fact from a database', (postgres) => {
  let database: TestDatabase
  let lookups: Lookups
  beforeAll(async () => {
    database = await postgres.createDatabase()
    await run(database, TABLES)
    lookups = lookupsFor({ BAILIWICK_SOURCE_ORDERS: database.url })
  })
  afterAll(async () => {
    await lookups.close()
    await database.drop()
  })

  const ask = (text: string, over: Parameters<typeof sqlNeed>[1] = {}) => only(lookups, sqlNeed(text, over))

  test('is the one value that the query gives for the arguments of the call', async () => {
    const count = 'select count(*) from orders where customer = $1'
    expect(await ask(count, { args: ['alice'] })).toEqual(value(2))
    expect(await ask(count, { args: ['nobody'] })).toEqual(value(0))
    const cheap = 'select sum(amount) from orders where amount < $1 and (customer = $2) = $3'
    expect(await ask(cheap, { args: [50.5, 'alice', true] })).toEqual(value(12.5))
  })

  test('takes arguments for values, whatever they hold: none becomes part of the query', async () => {
    const echo = 'select $1::text'
    const texts = ["' or 1=1 --", '$1', "'; drop table orders; --", '\\', '{a,b}', 'null', '', 'é\u{1F600}\n']
    for (const text of texts) expect(await ask(echo, { args: [text] })).toEqual(value(text))
    expect(await ask(echo, { args: [null] })).toEqual(value(null))
    expect(await ask('select $1::jsonb', { args: [{ a: [1, "x'"] }] })).toEqual(value({ a: [1, "x'"] }))
    expect(await ask('select count(*) from orders')).toEqual(value(3))
  })

  test.each(['\0', 'a\ud800b'])('refuses %j, which no database can hold as it is', async (text) => {
    expect(await ask('select $1::text', { args: [text] })).toEqual(
      failed('orders was not asked: a value is no text that a database can hold'),
    )
  })

  test.each<[string, Json]>([
    ['true', true],
    ['false', false],
    ['7::smallint', 7],
    ['-7', -7],
    ['9007199254740991::bigint', 9007199254740991],
    ['9007199254740993.0::float8', 9007199254740992],
    ['12.50::numeric', 12.5],
    ['0.1::numeric', 0.1],
    ['0.1::real', 0.1],
    ['1e300::float8', 1e300],
    ["'text'", 'text'],
    ["'gold'::varchar(9)", 'gold'],
    ["'7c9d1c0e-7d3f-4d11-9d6a-2f7b8f0f6a11'::uuid", '7c9d1c0e-7d3f-4d11-9d6a-2f7b8f0f6a11'],
    [`'{"a": [1, null]}'::json`, { a: [1, null] }],
    ["to_jsonb(array['a', 'b'])", ['a', 'b']],
    ["to_char(timestamptz '2026-11-27 10:00Z', 'YYYY')", '2026'],
    ['null::int', null],
    ["null::text || 'x'", null],
  ])('%s is %j', async (expression, expected) => {
    expect(await ask(`select ${expression}`)).toEqual(value(expected))
  })

  test.each([
    '9007199254740993::bigint',
    '0.1234567890123456789::numeric',
    "'NaN'::numeric",
    "'NaN'::float8",
    "'Infinity'::float8",
  ])('%s is a number that JSON cannot carry exactly, and fails', async (expression) => {
    expect(await ask(`select ${expression}`)).toEqual(
      failed('orders answered with a number that JSON cannot carry exactly'),
    )
  })

  test.each([
    'now()',
    'current_date',
    "interval '1 day'",
    "array['a']",
    "'\\x00'::bytea",
    'row(1, 2)',
    'null::date',
  ])('%s has no form in JSON, and fails', async (expression) => {
    expect(await ask(`select ${expression}`)).toEqual(
      failed('orders answered with a type that has no form in JSON; cast it to text, numeric or json'),
    )
  })

  test.each([
    [`select '{"a": 1, "a": 2}'::json`, 'names a member twice or has a number that cannot be kept exactly'],
    [
      "select '12345678901234567890'::jsonb",
      'names a member twice or has a number that cannot be kept exactly',
    ],
    [`select ('${'['.repeat(33)}${']'.repeat(33)}')::json`, 'nests deeper than 32 levels'],
  ])('%s is no JSON that all read alike', async (text, why) => {
    expect(await ask(text)).toEqual(failed(`orders answered with JSON that ${why}`))
  })

  test.each([
    ["select id from orders where customer = 'nobody'", 'has no row for it'],
    ["select id from orders where customer = 'alice'", 'has more than one row for it'],
    ['select generate_series(1, 100000000)', 'has more than one row for it'],
    ['select 1, 2', 'answered with 2 columns instead of one'],
    ['select from orders limit 1', 'answered with 0 columns instead of one'],
    ["select repeat('x', 300000)", 'answered with more than 262144 bytes'],
    ["select repeat('x', 9000)", 'answered with a value of more than 8192 bytes'],
  ])('%s fails: it has to be one row with one column that fits', async (text, why) => {
    expect(await ask(text)).toEqual(failed(`orders ${why}`))
  })

  test.each([
    'delete from orders returning 1',
    'with gone as (delete from orders returning id) select count(*) from gone',
    'select writes()',
    "select nextval('numbers')",
    'select id from orders limit 1 for update',
    "select set_config('transaction_read_only', 'off', true)",
    'select 1; delete from orders',
    'select 1) as x; select * from (select 2',
    'select 1) as x; delete from orders; select * from (select 1',
    'commit',
    'set transaction read write',
    "copy orders to '/tmp/orders'",
    'create table others as select 1 as a',
    'do $$ begin delete from orders; end $$',
    'selekt 1',
    '',
  ])('%s is refused, and nothing changes', async (text) => {
    expect(await ask(text)).toEqual({
      kind: 'failed',
      why: expect.stringMatching(/^orders refused the query \(\w{5}\)$/),
    })
    expect(await ask('select count(*) from orders')).toEqual(value(3))
  })

  test('a query that fails leaves nothing behind for the next one on the same connection', async () => {
    for (let turn = 0; turn < 8; turn++) {
      const text = "select set_config('search_path', 'nowhere', false)"
      expect(await ask(text)).toEqual(value('nowhere'))
      expect(await ask('select 1 / (count(*) - 3) from orders')).toMatchObject({ kind: 'failed' })
      expect(await ask('select count(*) from orders')).toEqual(value(3))
    }
    expect(await ask("select current_setting('statement_timeout')")).toEqual(value('5s'))
  })

  test('a query that runs too long fails, is ended on the server, and the next one is answered', async () => {
    const slow = await ask('select 1 from pg_sleep(3600)', { timeoutMs: 50 })
    expect(slow).toEqual({
      kind: 'failed',
      why: expect.stringMatching(/^orders (gave no answer|did not finish)/),
    })
    expect(await ask('select 1')).toEqual(value(1))
    const sleeping =
      "select count(*) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()"
    await eventually('no query that sleeps', async () => {
      const found = await ask(`${sleeping} and state = 'active'`)
      return found?.kind === 'value' && found.value === 0 ? found : undefined
    })
  })

  test('many at once are answered by a few connections', async () => {
    const needs = Array.from({ length: 60 }, (_, at) =>
      sqlNeed('select $1::int', { fact: `f${at}`, args: [at] }),
    )
    const found = await lookups.gather(needs)
    expect([...found.values()]).toEqual(needs.map((_, at) => value(at)))
    const used =
      "select count(*) from pg_stat_activity where application_name = 'bailiwick-lookups' and datname = current_database()"
    const connections = await ask(used)
    expect(connections?.kind === 'value' && Number(connections.value)).toBeLessThanOrEqual(4)
  })

  test('a connection that the server ends is replaced', async () => {
    expect(await ask('select 1')).toEqual(value(1))
    await run(
      database,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bailiwick-lookups' and datname = current_database()",
    )
    // Up to four idle connections may each be found dead by one lookup; none of that ends the process.
    const found = []
    for (let turn = 0; turn < 6; turn++) found.push(await ask('select 1'))
    expect(found.at(-1)).toEqual(value(1))
  })

  test('what failed is told without values, and without the words of the database', async () => {
    const needs = [
      sqlNeed('select $1::int', { args: ['s3cret'] }),
      sqlNeed('select 1 / length($1)', { args: [''] }),
      sqlNeed("select 's3cret'::date"),
      sqlNeed('select s3cret'),
    ]
    for (const need of needs) {
      const found = await only(lookups, need)
      expect(found).toMatchObject({ kind: 'failed' })
      expect(JSON.stringify(found)).not.toContain('s3cret')
    }
  })

  test('a source that the operator did not configure is not asked', async () => {
    for (const source of ['customers', 'ORDERS2', '__proto__', 'örders']) {
      expect(await ask('select 1', { source })).toEqual(
        failed(`${source} is not a data source of this service`),
      )
    }
    expect(await ask('select 1', { source: 'Orders' })).toEqual(value(1))
  })

  test('after closing, nothing is asked any more', async () => {
    const closed = lookupsFor({ BAILIWICK_SOURCE_ORDERS: database.url })
    expect(await only(closed, sqlNeed('select 1'))).toEqual(value(1))
    await closed.close()
    await closed.close()
    expect(await only(closed, sqlNeed('select 1'))).toEqual(failed('the service is stopping'))
  })
})

const silent: Server[] = []
afterEach(async () => {
  for (const server of silent.splice(0)) await new Promise((resolve) => server.close(resolve))
})

test('a database that is not there, lets nobody in, or never answers fails', async () => {
  const sockets: { destroy(): void }[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
  })
  silent.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const lookups = lookupsFor({
    BAILIWICK_SOURCE_ABSENT: 'postgresql://user:s3cret@127.0.0.1:1/x',
    BAILIWICK_SOURCE_SILENT: `postgresql://user:s3cret@127.0.0.1:${port}/x`,
  })
  const found = await lookups.gather([
    sqlNeed('select 1', { fact: 'a', source: 'absent' }),
    sqlNeed('select 1', { fact: 'b', source: 'silent', timeoutMs: 50 }),
  ])
  expect(Object.fromEntries(found)).toEqual({
    a: failed('absent could not be reached'),
    b: failed('silent gave no answer within 50 ms'),
  })
  for (const socket of sockets) socket.destroy()
  await lookups.close()
})

test('a database that lets us in and then says nothing is left, and its connection ended', async () => {
  let ended = (): void => undefined
  const left = new Promise<void>((resolve) => {
    ended = resolve
  })
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('close', () => ended())
    // To the first message: you are in, and I am ready for queries.
    socket.once('data', () => socket.write(Buffer.from('5200000008000000005a0000000549', 'hex')))
  })
  silent.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const lookups = lookupsFor({ BAILIWICK_SOURCE_ORDERS: `postgresql://user:s3cret@127.0.0.1:${port}/x` })
  const found = await only(lookups, sqlNeed('select 1', { timeoutMs: 100 }))
  expect(found).toEqual(failed('orders gave no answer within 100 ms'))
  await left
  await lookups.close()
})

async function run(database: TestDatabase, statement: string): Promise<void> {
  const client = new pg.Client(database.config)
  await client.connect()
  await client.query(statement)
  await client.end()
}
