import { Fault } from '@bailiwick/core'
import type { Command } from 'commander'
import { explainedCall } from '../explained-call.ts'
import { supposedCall, withCallOptions, type CallOptions } from './call-options.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import { explanationText } from './explanation-text.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'
import { withStoreOptions, type StoreOptions } from './settings.ts'

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
  withCallOptions(command).option('--json', 'print the explanation as JSON').action(act(explainCommand))
}

async function explainCommand(
  ports: CliPorts,
  decision: string | undefined,
  options: ExplainOptions,
): Promise<ExitCode> {
  if (decision === undefined) return await explainSupposed(ports, options)
  throw new Fault('bad_input', 'not yet', { fix: 'wait' })
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
