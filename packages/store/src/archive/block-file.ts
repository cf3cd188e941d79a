import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip, gzipSync } from 'node:zlib'
import { sha256Hex, type Block, type BlockObject } from './manifest.ts'

const gunzipped = promisify(gunzip)

/** A block of more is none that was written here. */
const blockTextBytesMax = 64 * 1024 * 1024

/**
 * A file of lines, written block by block. Each block is a gzip member of its own, so the whole file is one gzip file
 * to every reader of the format, and one block can be read without the others.
 */
export class BlockFile {
  readonly #file: FileHandle
  readonly #digest = createHash('sha256')
  readonly #blocks: Block[] = []
  #bytes = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async create(path: string): Promise<BlockFile> {
    return new BlockFile(await open(path, 'w', 0o600))
  }

  /** Writes lines as one block; `first` is the index of the first one's record. */
  async add(first: number, lines: readonly string[]): Promise<void> {
    // Here and not in the process's pool of threads: those have the priority of the decisions, this one has not.
    const packed = gzipSync(`${lines.join('\n')}\n`, { level: 6 })
    await this.#file.write(packed)
    // Bit by bit: a disk that has all of a segment to write at once keeps every commit waiting meanwhile.
    await this.#file.datasync()
    this.#digest.update(packed)
    this.#blocks.push({ first, offset: this.#bytes, bytes: packed.length, sha256: sha256Hex(packed) })
    this.#bytes += packed.length
  }

  /** Ends the file and says what it is. */
  async finish(name: string): Promise<BlockObject> {
    await this.#file.close()
    return {
      name,
      bytes: this.#bytes,
      sha256: this.#digest.digest('hex'),
      version: null,
      blocks: this.#blocks,
    }
  }

  /** Closes what will not be finished. Closing twice is fine. */
  async abandon(): Promise<void> {
    await this.#file.close().catch((error: unknown) => error)
  }
}

/** The lines of a block. @throws where it is no gzip, or unpacks to more than any block holds */
export async function unpackBlock(packed: Buffer): Promise<string[]> {
  const text = (await gunzipped(packed, { maxOutputLength: blockTextBytesMax })).toString('utf8')
  return text.slice(0, -1).split('\n')
}
