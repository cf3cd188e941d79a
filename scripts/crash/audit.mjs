import { createHash } from 'node:crypto'
import pg from 'pg'
import { entriesFrom } from '../../packages/store/dist/log/batches.js'
import { budgetMax, rateMax } from './policy.mjs'

/**
 * Reads the log, record by record, and holds it against what callers were told. Works out by itself what budgets and
 * rates have used: what the store remembers of them, it does not look at.
 */
export class Audit {
  /** What must not have happened, in sentences. */
  findings = []
  counts = { lost: 0, unrecorded: 0, ranTwice: 0, budgetExceeded: 0, rateExceeded: 0, approvalsReused: 0 }
  /** How many records have been read. */
  records = 0
  #connection
  #limits
  #decisions = new Map()
  #outcomes = new Map()
  #votes = new Set()
  #consumed = new Set()
  #allowedCalls = new Map()
  #used = new Map()
  #lookUps = []
  #ranCalls = new Map()
  #checked = { acknowledged: 0, ran: 0, outcomes: 0, votes: 0 }
  #chain = createHash('sha256')

  constructor(connection, limits = { budget: budgetMax, rate: rateMax }) {
    this.#connection = connection
    this.#limits = limits
  }

  /** Reads what the log has gained, and checks what callers were told before that. */
  async check(load) {
    const told = Object.fromEntries(Object.keys(this.#checked).map((kind) => [kind, load[kind].length]))
    await this.#read()
    for (const kind of Object.keys(this.#checked)) {
      for (const entry of load[kind].slice(this.#checked[kind], told[kind])) this.#hold(kind, entry)
    }
    this.#checked = told
  }

  /** The hash over all records that were read, in order: two audits of one log agree on it. */
  digest() {
    return this.#chain.copy().digest('hex')
  }

  #find(count, text) {
    this.counts[count] += 1
    if (this.findings.length < 50) this.findings.push(`${count}: ${text}`)
  }

  async #read() {
    const client = new pg.Client({ ...this.#connection, options: '-c search_path=bailiwick -c timezone=UTC' })
    client.on('error', () => undefined)
    await client.connect()
    try {
      for await (const { index, record, payload } of entriesFrom(client, 'main', this.records)) {
        if (index !== this.records)
          throw new Error(`the log has record ${index} where ${this.records} should be`)
        this.#chain.update(`${record}\n`)
        this.#fold(JSON.parse(record), typeof payload === 'string' ? {} : JSON.parse(payload.body))
        this.records += 1
      }
    } finally {
      await client.end()
    }
  }

  #fold(record, payload) {
    if (record.kind === 'vote') this.#votes.add(`${record.approval} ${record.vote}`)
    if (record.kind === 'outcome') this.#settle(record)
    if (record.kind === 'decision') this.#decide(record, payload)
  }

  #settle({ decision, status }) {
    this.#outcomes.set(decision, status)
    const known = this.#decisions.get(decision)
    if (status === 'failed' && known?.customer !== undefined)
      this.#use(known.customer, -known.amount, decision)
  }

  #decide({ id, effect, action, callId, claims, at: atText }, { params = {}, context = {} }) {
    const at = Date.parse(atText)
    const pays = action === 'pay' && effect === 'allow'
    const customer = pays ? context.customer : undefined
    const { amount, order, account } = params
    this.#decisions.set(id, { effect, action, callId, at, amount, customer, about: order ?? account })
    if (effect !== 'allow') return
    if (callId !== null) this.#allowOnce(callId, id)
    if (claims?.consumed === true) this.#consumeOnce(claims.id, id)
    if (pays) this.#use(customer, amount, id)
    if (action === 'look_up') this.#look(at, id)
  }

  #allowOnce(callId, id) {
    const before = this.#allowedCalls.get(callId)
    if (before !== undefined)
      this.#find('ranTwice', `${id} allows the call ${callId}, which ${before} had allowed`)
    this.#allowedCalls.set(callId, id)
  }

  #consumeOnce(approval, id) {
    if (this.#consumed.has(approval)) this.#find('approvalsReused', `${id} uses ${approval} a second time`)
    this.#consumed.add(approval)
  }

  #use(customer, amount, id) {
    const used = (this.#used.get(customer) ?? 0) + amount
    this.#used.set(customer, used)
    const { budget } = this.#limits
    if (used > budget) this.#find('budgetExceeded', `${id} brings ${customer} to ${used} of ${budget}`)
  }

  #look(at, id) {
    this.#lookUps = [...this.#lookUps.filter((before) => before > at - 1_000), at]
    if (this.#lookUps.length > this.#limits.rate)
      this.#find('rateExceeded', `${id} is number ${this.#lookUps.length} in a second`)
  }

  #hold(kind, entry) {
    if (kind === 'acknowledged') this.#holdDecision(entry)
    if (kind === 'ran') this.#holdRun(entry)
    if (kind === 'outcomes' && this.#outcomes.get(entry.decision) !== entry.status) {
      this.#find('lost', `the outcome ${entry.status} of ${entry.decision} was acknowledged`)
    }
    if (kind === 'votes' && !this.#votes.has(`${entry.approval} ${entry.vote}`)) {
      this.#find('lost', `the vote ${entry.vote} on ${entry.approval} was acknowledged`)
    }
  }

  #holdDecision({ id, effect, action, params, callId }) {
    const known = this.#decisions.get(id)
    const about = params.order ?? params.account
    const same =
      known !== undefined &&
      known.effect === effect &&
      known.action === action &&
      known.callId === callId &&
      known.amount === params.amount &&
      known.about === about
    if (!same)
      this.#find(
        'lost',
        `${id}, ${effect} for ${action} ${about}, was acknowledged; the log has ${JSON.stringify(known)}`,
      )
  }

  #holdRun({ callId, action, decision, at }) {
    const known = this.#decisions.get(decision)
    const allows =
      known?.effect === 'allow' && known.action === action && known.callId === callId && known.at <= at
    if (!allows)
      this.#find('unrecorded', `${action} ${callId} ran by ${decision}; the log has ${JSON.stringify(known)}`)
    const before = this.#ranCalls.get(callId)
    if (before !== undefined) this.#find('ranTwice', `${callId} ran by ${decision} and by ${before}`)
    this.#ranCalls.set(callId, decision)
  }

  /** How many of the log's decisions used an approval. */
  get approvalsUsed() {
    return this.#consumed.size
  }

  /** How many customers were brought so near to their budget that a further payment could be denied. */
  get budgetsNearlyUsed() {
    return [...this.#used.values()].filter((used) => used > budgetMax - 40).length
  }
}
