import { Fault } from '@bailiwick/core'
import {
  explainedCall,
  explainedDecision,
  lastStoredPolicies,
  hasEmbeddedDatabase,
  openDatabase,
  recallStoredDecision,
  stopIfUnused,
  type ExplainedDecision,
} from '@bailiwick/store'
import type { Command } from 'commander'
import { archiveSettings } from '../archive-settings.ts'
import { payloadKeySettings } from '../payload-key-settings.ts'
import { supposedCall, withCallOptions, type CallOptions } from './call-options.ts'
import { fine, negative, type ExitCode } from './exit-codes.ts'
import { policyFor } from './masked-payload.ts'
import { explanationText } from './explanation-text.ts'
import type { CliPorts } from './ports.ts'
import { recordOneReading } from './recorded-reading.ts'
import type { Act } from './act.ts'
import { storePlace, withStoreOptions, type StoreOptions } from './settings.ts'

interface ExplainOptions extends StoreOptions, Partial<CallOptions> {
  readonly json?: true
}

/** Adds `bailiwick explain`. */
export function addExplain(program: Command, act: Act): void {
  const command = withStoreOptions(program.command('explain'))
    .description(
      'Says why a call is decided as it is: every rule that speaks of its action, with the values that it met, and what would have to differ. Of a recorded decision, or of a call that nobody has made.',
    )
    .argument('[decision]', 'the id of a recorded decision, such as dec_12')
    .option('--policy <file>', 'instead of a decision: the policy file')
    .option('--action <name>', 'with --policy: what the agent wants to do')
  withCallOptions(command)
    .option('--json', 'print the explanation as JSON')
    .addHelpText(
      'after',
      '\nExits with 0 whatever the effect; 1 where a recorded decision does not come out as it was recorded, 2 for bad input.',
    )
    .action(act(explainCommand))
}

async function explainCommand(
  ports: CliPorts,
  decision: string | undefined,
  options: ExplainOptions,
): Promise<ExitCode> {
  if (decision === undefined) return await explainSupposed(ports, options)
  if (options.policy !== undefined || options.action !== undefined) {
    throw new Fault('bad_input', `${decision} has its own policy and action`, {
      fix: 'Leave out --policy and --action, or the decision.',
    })
  }
  const explained = await explainedRecord(options, ports, decision)
  if (options.json) ports.out(JSON.stringify(explained))
  else ports.out(`${decision} ${explanationText(explained)}${sameText(explained)}`)
  return explained.same ? fine : negative
}

function sameText({ same, differences }: ExplainedDecision): string {
  if (same) return ''
  const what = differences.join(', ')
  return `\n\nThis is not what was recorded: made again, the decision differs in ${what}.\nRun \`bailiwick log verify\`; if the log is intact, explain with the version that recorded it.`
}

/** Explains a recorded decision, once it is recorded that the operator is shown it. */
async function explainedRecord(
  options: StoreOptions,
  ports: CliPorts,
  decision: string,
): Promise<ExplainedDecision> {
  const { dataDir, databaseUrl } = storePlace(options, ports)
  // Opening an embedded database would make one where there is none.
  if (databaseUrl === undefined && !(await hasEmbeddedDatabase(dataDir))) {
    throw new Fault('not_found', `there is no log in \`${dataDir}\``, {
      fix: 'Name the data directory of the service with --data, or its database with DATABASE_URL.',
    })
  }
  const payloadKey = await payloadKeySettings(ports.env)
  const database = await openDatabase({ dataDir, databaseUrl })
  try {
    const { store } = archiveSettings(ports.env)
    const recalled = await recallStoredDecision(database.connection, 'main', decision, store, payloadKey)
    const { agent, index } = recalled.record
    const inForce = policyFor(await lastStoredPolicies(database.connection, 'main'), agent)
    await recordOneReading(options, ports, 'decision', index)
    return explainedDecision(recalled, inForce)
  } finally {
    await stopIfUnused(database)
  }
}

async function explainSupposed(ports: CliPorts, options: ExplainOptions): Promise<ExitCode> {
  const { policy: file, action } = options
  if (file === undefined || action === undefined) {
    throw new Fault('bad_input', 'there is nothing to explain', {
      fix: 'Name a recorded decision, such as `bailiwick explain dec_12`, or a call with --policy and --action.',
    })
  }
  const { policy, parsed, facts } = await supposedCall({ ...options, policy: file, action })
  const explanation = explainedCall(policy, parsed, facts)
  ports.out(options.json ? JSON.stringify(explanation) : explanationText(explanation))
  return fine
}
