import { setTimeout as delay } from 'node:timers/promises'
import { verifyStoredLog } from '@bailiwick/store'
import { Audit } from './audit.mjs'
import { Approver, Load } from './load.mjs'
import { randomFrom } from './random.mjs'
import { Site } from './site.mjs'

/** What is killed in turn: the service, the postmaster, one backend, both at once. */
const kinds = ['service', 'postmaster', 'backend', 'both']
/** How many acknowledgements may pass between two kills, and how long the moment may then be put off. */
const acksMax = 150
const putOffMsMax = 40

/**
 * Kills processes under load, `rounds` times, and after each kill verifies the whole log and holds it against what
 * callers were told.
 *
 * @returns the report; `sound` where nothing was lost and every verification was green
 */
export async function campaign({ engine, rounds, callers, seed, say = () => undefined }) {
  const site = await Site.make(engine)
  const report = {
    engine,
    rounds: 0,
    callers,
    seed,
    kills: {},
    verifications: { green: 0, red: 0 },
    restartMs: [],
  }
  let sound = false
  try {
    const key = await site.createKey()
    const approver = await Approver.signIn(await site.startService())
    const load = new Load({ url: site.url, key })
    const audit = new Audit(site.connection)
    const calling = load.run(callers, seed)
    // Heard at the next await of it.
    calling.catch(() => undefined)
    const answering = approver.run(load, seed)
    await killInTurn({ site, load, audit, report, rounds, random: randomFrom(seed), say })
    await load.reaches(load.acknowledged.length + callers)
    load.end()
    // The approver goes on until nobody waits for him.
    await calling
    approver.end()
    await answering
    await conclude({ site, load, audit, report })
    sound = isSound(report)
    return { ...report, sound, evidence: sound ? undefined : site.dir }
  } finally {
    await site.remove({ keep: !sound })
  }
}

async function killInTurn({ site, load, audit, report, rounds, random, say }) {
  for (let round = 0; round < rounds; round++) {
    await load.reaches(load.acknowledged.length + 1 + Math.floor(random() * acksMax))
    await delay(random() * putOffMsMax)
    const kind = kinds[round % kinds.length]
    const killedAt = performance.now()
    await kill(site, kind, random)
    await bringBack(site, kind, random)
    report.restartMs.push(performance.now() - killedAt)
    report.kills[kind] = (report.kills[kind] ?? 0) + 1
    report.rounds += 1
    await patiently(() => verifyAll(site, report, `after round ${round}`))
    await patiently(() => audit.check(load))
    say({ round: round + 1, rounds, kind, records: audit.records, acknowledged: load.acknowledged.length })
  }
}

async function kill(site, kind, random) {
  if (kind === 'service' || kind === 'both') await site.killService()
  if (kind === 'postmaster' || kind === 'both') await site.killPostmaster()
  if (kind === 'backend') await site.killBackend(random)
}

async function bringBack(site, kind, random) {
  if (kind === 'postmaster' || kind === 'both') {
    await delay(random() * 200)
    await site.startServer()
  }
  if (!site.serviceRuns) await site.startService()
  await site.ready()
}

// After the death of a backend the service may be found ready a moment before PostgreSQL ends all connections, these too.
// Only a connection that breaks is tried again; what was read says what it says.
async function patiently(work, attemptsMax = 100) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const code = error.code ?? ''
      const lost = /^(57P0\d|ECONN|ENOENT|EPIPE)/.test(code) || /Connection terminated/.test(error.message)
      if (!lost || attempt === attemptsMax) throw error
      await delay(100)
    }
  }
}

// Always the whole log, from record 0 on, against the checkpoint that was published last.
async function verifyAll(site, report, when) {
  const result = await verifyStoredLog({ connection: site.connection, dataDir: site.dataDir })
  if (result.kind === 'intact') report.verifications.green += 1
  else {
    report.verifications.red += 1
    report.broken ??= `${when}: ${result.problem}`
  }
}

async function conclude({ site, load, audit, report }) {
  await patiently(() => verifyAll(site, report, 'at the end'))
  // Read anew from record 0 on: what was checked after earlier rounds is still what it was. A deadline may pass
  // meanwhile, and be recorded.
  const again = new Audit(site.connection)
  for (let tries = 0; tries < 20 && again.records !== audit.records; tries++) {
    await patiently(() => audit.check(load))
    await patiently(() => again.check(load))
  }
  if (again.digest() !== audit.digest()) audit.findings.push('the log is not the one that was read in pieces')
  report.wouldFind = await patiently(() => whatAuditsFind(site, load))
  report.stopped = await site.stopService()
  await site.startServer()
  await site.runCli('log', 'verify')
  Object.assign(report, {
    records: audit.records,
    acknowledged: load.acknowledged.length,
    ran: load.ran.length,
    outcomes: load.outcomes.length,
    votes: load.votes.length,
    unknown: load.unknown,
    approvalsUsed: audit.approvalsUsed,
    budgetsNearlyUsed: audit.budgetsNearlyUsed,
    faults: Object.fromEntries(load.faults),
    ...audit.counts,
    findings: [...audit.findings, ...again.findings],
  })
}

// An audit that cannot find anything proves nothing: here is one of a journal that the log does not bear out, with limits
// that the log does not keep.
async function whatAuditsFind(site, { acknowledged, ran }) {
  const doctored = {
    acknowledged: [{ ...acknowledged[0], effect: 'another' }],
    ran: [ran[0], ran[0], { ...ran[0], callId: 'never-asked' }],
    outcomes: [{ decision: ran[0].decision, status: 'never-said' }],
    votes: [{ approval: 'apr_0', vote: 'approve' }],
  }
  const audit = new Audit(site.connection, { budget: 1, rate: 1 })
  await audit.check(doctored)
  const { lost, unrecorded, ranTwice, budgetExceeded, rateExceeded } = audit.counts
  return { lost, unrecorded, ranTwice, budgetExceeded, rateExceeded }
}

const bad = ['lost', 'unrecorded', 'ranTwice', 'budgetExceeded', 'rateExceeded', 'approvalsReused']
const passing = new Set(['service_unreachable', 'store_unavailable', 'store_busy'])

function isSound(report) {
  return (
    bad.every((count) => report[count] === 0) &&
    report.findings.length === 0 &&
    report.wouldFind.lost === 3 &&
    Object.values(report.wouldFind).every((found) => found > 0) &&
    report.verifications.red === 0 &&
    report.stopped === 0 &&
    Object.keys(report.faults).every((kind) => passing.has(kind))
  )
}
