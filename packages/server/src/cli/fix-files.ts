import { randomBytes } from 'node:crypto'
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { editedText, Fault, type DocumentEdit, type Problem } from '@bailiwick/core'
import { readPolicy } from '@bailiwick/store'
import { fileOf, type CheckedFile, type FixedFile } from './check-report.ts'

/**
 * Makes the safe edits that the problems carry. A file is replaced whole, or left as it is: a crash leaves the old one
 * or the new one. It is left where the edits would lead to an error that is not there now.
 *
 * @throws Fault `bad_input` where a file cannot be written, `conflict` where it changes meanwhile
 */
export async function fixFiles(files: readonly CheckedFile[]): Promise<readonly FixedFile[]> {
  const edits = new Map<string, DocumentEdit[]>()
  for (const { file, problems } of files) {
    for (const problem of problems) {
      if (problem.edit?.safe !== true) continue
      const where = fileOf(file, problem)
      edits.set(where, [...(edits.get(where) ?? []), problem.edit])
    }
  }
  const fixed: FixedFile[] = []
  for (const [file, wanted] of edits) fixed.push(await fixFile(file, distinct(wanted)))
  return fixed
}

// A file that several others extend tells its problems to each of them.
function distinct(edits: readonly DocumentEdit[]): readonly DocumentEdit[] {
  return [...new Map(edits.map((edit) => [JSON.stringify(edit.change), edit])).values()]
}

async function fixFile(file: string, edits: readonly DocumentEdit[]): Promise<FixedFile> {
  // A link stays one: what it points to is what gets the edits.
  const target = await realpath(file)
  const before = await readFile(target, 'utf8')
  const { text, made, left } = editedText(before, edits)
  const leftText =
    left.length === 0 ? undefined : `it could not be edited without changing more: ${titles(left)}`
  if (made.length === 0) return { file, made: [], left: leftText }
  const beside = await writtenBeside(target, text)
  try {
    const lost = await newErrors(file, beside)
    if (lost !== undefined) return { file, made: [], left: `then there would be an error: ${lost}` }
    if ((await readFile(target, 'utf8')) !== before) throw changedMeanwhile(file)
    await rename(beside, target)
    return { file, made, left: leftText }
  } finally {
    await withoutTrace(beside)
  }
}

function titles(edits: readonly DocumentEdit[]): string {
  return edits.map(({ title }) => title).join(', ')
}

/** A first error of the new text that the old one does not have. */
async function newErrors(before: string, after: string): Promise<string | undefined> {
  const known = new Set((await errorsOf(before)).map(({ message }) => message))
  return (await errorsOf(after)).find(({ message }) => !known.has(message))?.message
}

async function errorsOf(file: string): Promise<readonly Problem[]> {
  const parsed = await readPolicy(file)
  return parsed.kind === 'valid' ? [] : parsed.problems.filter(({ severity }) => severity === 'error')
}

/** In the same directory, so that it can be renamed and sees the same files; no service takes it for a policy. */
async function writtenBeside(target: string, text: string): Promise<string> {
  const beside = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const { mode } = await stat(target)
    const handle = await open(beside, 'wx', mode)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return beside
  } catch (cause) {
    await withoutTrace(beside)
    throw new Fault('bad_input', `\`${target}\` cannot be written`, {
      fix: 'Check the permissions of the file and its directory.',
      cause,
    })
  }
}

// Where this fails, what people need to hear is why the file was given up.
async function withoutTrace(beside: string): Promise<void> {
  await rm(beside, { force: true }).catch(() => undefined)
}

function changedMeanwhile(file: string): Fault {
  return new Fault('conflict', `\`${file}\` changed while it was being fixed`, {
    fix: 'Run it again; nothing was written.',
  })
}
