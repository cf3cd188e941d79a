import {
  Fault,
  PointGovernance,
  systemPorts,
  type DecisionPoint,
  type GovernPorts,
  type ProofBundle,
} from '@bailiwick/core'
import { openDatabase, stopIfUnused, type OpenedDatabase } from './engine/open.ts'
import type { ExplainedDecision } from './explain.ts'
import { Ledger } from './ledger.ts'
import { keepPartitions } from './log/partitions.ts'
import { migrate } from './migrate.ts'
import type { LookupGatherer } from './operations/gather.ts'
import { loadPolicies, type PolicySet } from './policies.ts'
import type { PayloadKey } from './sealing/payload-key.ts'
import { ApprovalWaits } from './waits.ts'

/** How to open an enforcer that decides and records in this process. */
export interface EnforcerOptions {
  /** A policy file or a directory of them. */
  readonly policies: string
  /** Where the checkpoint, its key and the embedded database live. Default `.bailiwick`. */
  readonly dataDir?: string | undefined
  /** A PostgreSQL server; without it an embedded PostgreSQL is started below `dataDir`. */
  readonly databaseUrl?: string | undefined
  /** Whose calls these are. Default: the only agent that the policies bind. */
  readonly agent?: string | undefined
  /** The console's address, for links in escalations. Default `http://127.0.0.1:7420`. */
  readonly consoleUrl?: string | undefined
  readonly ports?: GovernPorts | undefined
  /** The environment that the calls are made in, such as `prod`. */
  readonly env?: string | undefined
  /** What looks facts up for conditions; without it, every lookup counts as failed. */
  readonly lookups?: LookupGatherer | undefined
  /** The master key that payloads which hold data of people are sealed under; as the service has it. */
  readonly payloadKey?: PayloadKey | undefined
}

/**
 * Governs an agent's calls in the agent's own process, on the same log as the service. The same
 * interface as `BailiwickClient`. Approvals are answered through a service on the same database.
 */
export class GovernanceEnforcer extends PointGovernance {
  readonly #explain: (id: string) => Promise<ExplainedDecision>
  readonly #prove: (id: string) => Promise<ProofBundle>
  readonly #close: () => Promise<void>

  /** Governs `agent` on a ledger that somebody else has opened, and closes. */
  constructor(ledger: Ledger, agent: string, ports: GovernPorts = systemPorts) {
    const waits = new ApprovalWaits(ledger, ports)
    const point: DecisionPoint = {
      decide: (request) => ledger.decide(agent, request),
      approval: (id, waitSeconds) => waits.wait(id, waitSeconds, { agent }),
      call: (callId) => ledger.reads.call(agent, callId),
      reportOutcome: async (id, outcome) => {
        await ledger.reportOutcome(agent, id, outcome)
      },
    }
    super(point, ports)
    this.#explain = (id) => ledger.explain(id, agent)
    this.#prove = async (id) => {
      // No service may be running that publishes, and works out the tree in the background.
      await ledger.checkpoint()
      await ledger.tiles.fillAll()
      return await ledger.prove(id, { agent })
    }
    this.#close = async () => {
      waits.close()
    }
  }

  /** Opens database, log and policies, and governs one agent's calls. Close it when done. */
  static async open(options: EnforcerOptions): Promise<GovernanceEnforcer & AsyncDisposable> {
    const dataDir = options.dataDir ?? '.bailiwick'
    const policies = await loadPolicies(options.policies)
    const agent = options.agent ?? onlyAgent(policies)
    const database = await openDatabase({ dataDir, databaseUrl: options.databaseUrl })
    try {
      await migrate(database.connection)
      await keepPartitions(database.connection, 'week', systemPorts.now())
      const ledger = await Ledger.open({
        connection: database.connection,
        policies,
        dataDir,
        consoleUrl: options.consoleUrl ?? 'http://127.0.0.1:7420',
        env: options.env,
        lookups: options.lookups,
        // Nobody reaches this process, so it does not write for others; it need not fence those who do.
        peers: {},
        payloadKey: options.payloadKey,
      })
      if (ledger.halted === undefined) await ledger.sealing.start()
      return new OwningEnforcer(ledger, agent, database, options.ports)
    } catch (error) {
      await stopIfUnused(database)
      throw error
    }
  }

  /**
   * Why one of the agent's decisions was made as it was, worked out from what is recorded.
   *
   * @throws Fault `not_found` for what is no decision of the agent's; `erased` where what it was made from is gone
   */
  explain(decision: string): Promise<ExplainedDecision> {
    return this.#explain(decision)
  }

  /**
   * Proof, to be checked offline, that one of the agent's decisions is in the log. Its payload is withheld.
   *
   * @throws Fault `not_found` for what is no decision of the agent's
   */
  prove(decision: string): Promise<ProofBundle> {
    return this.#prove(decision)
  }

  /** Lets go of what this enforcer opened; nothing may be governed through it afterwards. */
  async close(): Promise<void> {
    await this.#close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

class OwningEnforcer extends GovernanceEnforcer {
  readonly #ledger: Ledger
  readonly #database: OpenedDatabase

  constructor(ledger: Ledger, agent: string, database: OpenedDatabase, ports: GovernPorts | undefined) {
    super(ledger, agent, ports)
    this.#ledger = ledger
    this.#database = database
  }

  override async close(): Promise<void> {
    await super.close()
    try {
      await this.#ledger.close()
    } finally {
      // A service or another enforcer on the same data directory goes on using the database.
      await stopIfUnused(this.#database)
    }
  }
}

function onlyAgent(policies: PolicySet): string {
  const [first, ...others] = policies.all
  const [agent, ...further] = first?.agents ?? []
  if (agent?.exact === true && others.length === 0 && further.length === 0) return agent.text
  throw new Fault('bad_input', 'the policies bind more than one agent, so the agent has to be named', {
    fix: 'Pass `agent`, one of the agent ids of the policies.',
  })
}
