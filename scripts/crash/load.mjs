import { Fault, systemPorts } from '@bailiwick/core'
import { BailiwickClient } from 'bailiwick'
import { randomFrom } from './random.mjs'

/** How many payments are asked for one customer before the next one's turn comes: more than the budget allows. */
const paymentsPerCustomer = 60

/** A run that fails: its budget is given back. */
class RunFailed extends Error {}

/**
 * Callers that each make one call after the other, and a journal of all that they were told. It lives outside of
 * every process that is killed: what it says has to be in the log.
 */
export class Load {
  /** Decisions that were acknowledged: `{id, effect, action, params, callId, at}`. */
  acknowledged = []
  /** Actions that ran: `{callId, decision, at}`. */
  ran = []
  /** Outcomes that were acknowledged: `{decision, status}`. */
  outcomes = []
  /** Votes that were acknowledged: `{approval, vote}`. */
  votes = []
  /** How often each kind of fault was met. */
  faults = new Map()
  /** Calls whose answer was lost and which were then found to be allowed, and not run. */
  unknown = 0
  #client
  #over = false
  #payments = 0
  #watchers = []
  #errors = []

  constructor({ url, key }) {
    // Pauses are cut short, for the campaign waits for them; not so short that those who find no service take the processor
    // from whoever starts it again.
    const sleep = (ms, signal) => systemPorts.sleep(Math.min(ms, 250), signal)
    this.#client = new BailiwickClient({ url, key, ports: { ...systemPorts, sleep } })
  }

  /** Starts the callers; the promise resolves when `end` was called and each has finished. */
  async run(callers, seed) {
    const names = Array.from({ length: callers }, (_, number) => number)
    await Promise.all(names.map((number) => this.#caller(`c${number}`, randomFrom(seed + number + 1))))
    if (this.#errors.length > 0) throw this.#errors[0]
  }

  end() {
    this.#over = true
  }

  /** Resolves when so many decisions have been acknowledged; rejects where a caller met what it must not. */
  reaches(count) {
    return new Promise((resolve, reject) => this.#watchers.push({ count, resolve, reject }))
  }

  async #caller(name, random) {
    for (let number = 0; !this.#over; number++) {
      const call = this.#nextCall(`${name}-${number}`, random)
      // Under the same call id until there is an answer: whether a lost one was recorded is unknown.
      while (!this.#over && !(await this.#tried(call)));
    }
  }

  async #tried(call) {
    try {
      await call()
      return true
    } catch (error) {
      if (error instanceof RunFailed) return true
      if (error instanceof Fault) {
        const kind = faultKind(error)
        this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1)
        await systemPorts.sleep(250)
        return false
      }
      this.#errors.push(error)
      this.end()
      for (const { reject } of this.#watchers) reject(error)
      return true
    }
  }

  #nextCall(callId, random) {
    const kind = random()
    if (kind < 0.5) {
      const customer = `C-${Math.floor(this.#payments++ / paymentsPerCustomer)}`
      const params = { amount: 1 + Math.floor(random() * 40), order: callId }
      return () => this.#govern({ action: 'pay', params, callId, fails: random() < 0.1 }, { customer })
    }
    if (kind < 0.65)
      return () => this.#govern({ action: 'refund', params: { amount: 600, order: callId }, callId })
    if (kind < 0.85) return () => this.#govern({ action: 'look_up', params: { order: callId }, callId })
    return () => this.#check('delete_account', { account: callId })
  }

  async #check(action, params) {
    this.#acknowledge({ action, params, callId: null }, await this.#client.check(action, params))
  }

  async #govern({ action, params, callId, fails = false }, context = {}) {
    let ranAs
    const run = ({ decision }) => {
      ranAs = decision
      this.ran.push({ callId, action, decision: decision.id, at: Date.now() })
      if (fails) throw new RunFailed(callId)
    }
    try {
      const governed = await this.#client.govern(action, params, run, { callId, context })
      this.#acknowledge({ action, params, callId }, governed.decision)
      if (governed.kind === 'ran_before') this.unknown += 1
      if (governed.kind === 'ran' && governed.outcomeRecorded) {
        this.outcomes.push({ decision: governed.decision.id, status: 'succeeded' })
      }
    } finally {
      // Also where the run failed, or its report was lost: the allow was acknowledged, or it would not have run.
      if (ranAs !== undefined) this.#acknowledge({ action, params, callId }, ranAs)
    }
  }

  #acknowledge(call, { id, effect }) {
    this.acknowledged.push({ ...call, id, effect, at: Date.now() })
    this.#watchers = this.#watchers.filter(({ count, resolve }) => {
      if (this.acknowledged.length < count) return true
      resolve()
      return false
    })
  }
}

function faultKind({ code, message }) {
  return code === 'internal' ? `internal: ${message}` : code
}

/** Somebody who answers every approval that waits, four of five with yes, and notes what was acknowledged. */
export class Approver {
  #headers
  #url
  #over = false

  constructor(url, cookie) {
    this.#url = url
    this.#headers = { cookie, origin: url, 'content-type': 'application/json' }
  }

  /** Uses up a sign-in link. */
  static async signIn(signInUrl) {
    const { origin, hash } = new URL(signInUrl)
    const response = await fetch(`${origin}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify({ token: hash.slice('#token='.length) }),
    })
    if (!response.ok) throw new Error(`signing in: ${response.status} ${await response.text()}`)
    return new Approver(origin, (response.headers.get('set-cookie') ?? '').split(';')[0])
  }

  end() {
    this.#over = true
  }

  async run(load, seed) {
    const random = randomFrom(seed)
    while (!this.#over) {
      // The service is away half of the time. What was not acknowledged is looked at again.
      await this.#answerAll(load, random).catch(() => undefined)
      await systemPorts.sleep(20)
    }
  }

  async #answerAll(load, random) {
    const signal = AbortSignal.timeout(5_000)
    const listed = await fetch(`${this.#url}/v1/approvals?status=pending`, { headers: this.#headers, signal })
    if (!listed.ok) return
    const { approvals } = await listed.json()
    for (const { id, digest } of approvals) {
      const vote = random() < 0.8 ? 'approve' : 'reject'
      const response = await fetch(`${this.#url}/v1/approvals/${id}/votes`, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify({ vote, digest }),
        signal,
      })
      await response.text()
      if (response.status === 201) load.votes.push({ approval: id, vote })
    }
  }
}
