import { useEffect, useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import type { Query, QueryClient } from '@tanstack/react-query'
import { signOutKey } from './queries.ts'

/** How the page learns of news: told by the service, or asking again and again. */
export type Liveness = 'connecting' | 'live' | 'polling'

const refreshGapMs = 1000
const pollMs = { live: 30_000, connecting: 5000, polling: 5000 } as const
const pollHiddenMs = 15_000
const reconnectMs = 10_000

/** Keeps what is on screen current for as long as the component is mounted. */
export function useLive(): Liveness {
  const client = useQueryClient()
  const isHidden = useIsHidden()
  const [liveness, setLiveness] = useState<Liveness>('connecting')

  useEffect(() => {
    // Browsers open at most six connections to one host, so a page that nobody sees gives its own back.
    if (isHidden) return undefined
    const refresh = throttled(
      () => refreshShown(client),
      () => refreshGapMs * pagesShown(client),
    )
    const close = followEvents(refresh.ask, setLiveness)
    return () => {
      close()
      refresh.stop()
    }
  }, [client, isHidden])

  useEffect(() => {
    const interval = window.setInterval(
      () => refreshShown(client),
      isHidden ? pollHiddenMs : pollMs[liveness],
    )
    return () => window.clearInterval(interval)
  }, [client, isHidden, liveness])

  return liveness
}

function useIsHidden(): boolean {
  const [isHidden, setIsHidden] = useState(document.hidden)
  useEffect(() => {
    const update = (): void => setIsHidden(document.hidden)
    document.addEventListener('visibilitychange', update)
    return () => document.removeEventListener('visibilitychange', update)
  }, [])
  return isHidden
}

/** Opens the event stream, and opens it again where the browser gave up on it. */
function followEvents(onLog: () => void, setLiveness: (liveness: Liveness) => void): () => void {
  let source: EventSource | undefined
  let retry: number | undefined

  const open = (): void => {
    source = new EventSource('/v1/events')
    source.addEventListener('open', () => setLiveness('live'))
    source.addEventListener('log', onLog)
    source.addEventListener('error', () => {
      setLiveness('polling')
      // After a refusal the browser does not come back by itself; the next poll finds out whether the session ended.
      if (source?.readyState === EventSource.CLOSED) retry = window.setTimeout(open, reconnectMs)
    })
  }
  open()
  return () => {
    window.clearTimeout(retry)
    source?.close()
  }
}

function refreshShown(client: QueryClient): void {
  // That somebody signs out is news of its own, which arrives before the answer does.
  if (client.isMutating({ mutationKey: signOutKey }) > 0) return
  // Not restarting a request that is under way: on a busy log, none would ever finish.
  void client.invalidateQueries({ predicate: canChange }, { cancelRefetch: false })
}

function canChange({ queryKey, state }: Query): boolean {
  const [kind] = queryKey
  // An explanation is of what was known when the call was decided.
  if (kind === 'session' || kind === 'explanation') return false
  // A decision changes only by its outcome, and only an allowed call gets one.
  if (kind === 'decision') return !hasOutcome(state.data)
  return true
}

function hasOutcome(decision: unknown): boolean {
  return (
    typeof decision === 'object' && decision !== null && 'outcome' in decision && decision.outcome !== null
  )
}

/** Refreshing a list asks for every page of it that is loaded, so long lists refresh less often. */
function pagesShown(client: QueryClient): number {
  const lists = client.getQueryCache().findAll({ type: 'active' })
  const pages = lists.map(({ state: { data } }) =>
    typeof data === 'object' && data !== null && 'pages' in data && Array.isArray(data.pages)
      ? data.pages.length
      : 1,
  )
  return Math.max(1, ...pages)
}

/** Runs at once when asked, then at most once per gap; the last ask is never lost. */
function throttled(run: () => void, gapMs: () => number): { ask: () => void; stop: () => void } {
  let timer: number | undefined
  let askedAgain = false
  const ask = (): void => {
    if (timer !== undefined) {
      askedAgain = true
      return
    }
    askedAgain = false
    run()
    timer = window.setTimeout(() => {
      timer = undefined
      if (askedAgain) ask()
    }, gapMs())
  }
  return { ask, stop: () => window.clearTimeout(timer) }
}
