import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Fault } from '@bailiwick/core'
import { hasCode } from './errno.ts'

/** A user of the operating system. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * As whom PostgreSQL runs, which refuses to run as root.
 * `self`: as this process, which is not root. `namespace`: in a user namespace where root bears another
 * number; to the files outside it is still root, so nothing needs to be handed over. `account`: as an
 * ordinary user, who then owns the cluster and must be able to reach it.
 */
export type Privileges =
  | { readonly kind: 'self'; readonly uid: number }
  | { readonly kind: 'namespace'; readonly account: Account }
  | { readonly kind: 'account'; readonly account: Account }

/** How root sheds its privileges, where a test or an operator wants one way and no other. */
export type RootMode = 'namespace' | 'account'

/**
 * The privileges to run with, on a cluster that belongs to `owner` or does not exist yet.
 *
 * @throws Fault where the cluster belongs to somebody else, or root finds no way to shed its privileges
 */
export async function choosePrivileges(
  owner: { readonly uid: number; readonly gid: number } | undefined,
  rootMode?: RootMode,
): Promise<Privileges> {
  const uid = process.getuid?.() ?? 0
  if (uid !== 0) {
    if (owner === undefined || owner.uid === uid) return { kind: 'self', uid }
    throw new Fault('store_unavailable', `the data directory belongs to user ${owner.uid}, not to ${uid}`, {
      fix: 'Run as the user who owns it, or choose another BAILIWICK_DATA.',
    })
  }
  const accounts = await systemAccounts()
  // Files of an ordinary user would not be ours inside the namespace: go on as that user.
  if (owner !== undefined && owner.uid !== 0) {
    const name = accounts.find((account) => account.uid === owner.uid)?.name ?? String(owner.uid)
    return { kind: 'account', account: { name, uid: owner.uid, gid: owner.gid } }
  }
  const account =
    accounts.find(({ name }) => name === 'postgres') ?? accounts.find(({ name }) => name === 'nobody')
  if (account === undefined) {
    throw new Fault(
      'store_unavailable',
      'PostgreSQL does not run as root, and there is no user to run it as',
      {
        fix: 'Run as a normal user, create a user `postgres`, or set DATABASE_URL to a server.',
      },
    )
  }
  const mode = rootMode ?? ((await namespacesWork(account)) ? 'namespace' : 'account')
  return { kind: mode, account }
}

/** The user who owns the files of a cluster that runs with these privileges. */
export function fileOwner(privileges: Privileges): number {
  switch (privileges.kind) {
    case 'self':
      return privileges.uid
    case 'namespace':
      return 0
    case 'account':
      return privileges.account.uid
  }
}

/** A program with its arguments, so wrapped that it runs with the privileges; its pid stays the program's own. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly options: { readonly uid?: number; readonly gid?: number }
}

/** The command that runs `file` with the privileges. */
export function commandWith(privileges: Privileges, file: string, args: readonly string[]): Command {
  switch (privileges.kind) {
    case 'self':
      return { file, args, options: {} }
    case 'namespace':
      return { file: 'unshare', args: [...namespaceFlags(privileges.account), file, ...args], options: {} }
    case 'account': {
      const { uid, gid } = privileges.account
      return { file, args, options: { uid, gid } }
    }
  }
}

/** Whether a program run with the privileges can enter the directory. */
export async function canEnter(privileges: Privileges, dir: string): Promise<boolean> {
  return succeeds(commandWith(privileges, '/bin/sh', ['-c', 'cd -- "$0"', dir]))
}

/** Whether the program can be run with the privileges. */
export async function canRun(privileges: Privileges, program: string): Promise<boolean> {
  return succeeds(commandWith(privileges, program, ['--version']))
}

function namespacesWork(account: Account): Promise<boolean> {
  return succeeds({ file: 'unshare', args: [...namespaceFlags(account), 'true'], options: {} })
}

function namespaceFlags(account: Account): readonly string[] {
  return ['--user', `--map-user=${account.uid}`, `--map-group=${account.gid}`, '--']
}

async function succeeds(command: Command): Promise<boolean> {
  try {
    await promisify(execFile)(command.file, command.args, { ...command.options, cwd: '/', timeout: 20_000 })
    return true
  } catch {
    // Forbidden by the kernel, by permissions, or not installed: the answer is no.
    return false
  }
}

async function systemAccounts(): Promise<readonly Account[]> {
  const accounts: Account[] = []
  for (const line of (await passwdText()).split('\n')) {
    const [name, , uid, gid] = line.split(':')
    if (name !== undefined && uid !== undefined && gid !== undefined && Number(uid) > 0) {
      accounts.push({ name, uid: Number(uid), gid: Number(gid) })
    }
  }
  return accounts
}

async function passwdText(): Promise<string> {
  try {
    return await readFile('/etc/passwd', 'utf8')
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return ''
    throw cause
  }
}
