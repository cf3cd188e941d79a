import { openCheckpoint, systemPorts } from '@bailiwick/core'
import type { Ledger } from '@bailiwick/store'
import { Anchors, anchorsAnywhere } from './anchors.ts'
import type { AnchorSettings } from './settings.ts'

/** Anchors a ledger's checkpoints from now on, where there is anywhere to; returns what ends it. */
export function startAnchors(
  ledger: Ledger,
  settings: AnchorSettings,
  dataDir: string,
  log: (line: string) => void,
): () => Promise<void> {
  if (!anchorsAnywhere(settings)) return () => Promise.resolve()
  const anchors = new Anchors(settings, {
    ledger: ledger.name,
    dataDir,
    checkpoint: async () => {
      const note = await ledger.checkpoint()
      return { note, size: openCheckpoint(note, ledger.checkpoints.verifierKeys).size }
    },
    proof: async (from, to) => (await ledger.consistency(from, to)).proof,
    now: () => systemPorts.now(),
    log,
  })
  const rounds = anchors.start()
  return () => rounds.stop()
}
