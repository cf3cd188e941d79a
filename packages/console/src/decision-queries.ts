import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { DecisionFilter } from './api.ts'
import { DecisionFeed } from './decision-feed.ts'
import type { FeedState } from './decision-feed.ts'
import { useApi } from './queries.ts'

const newestPageSize = 50
/** As many as the service gives at once: a long list takes few requests. */
const olderPageSize = 1000

/** A list of decisions and what can be done with it. */
export interface DecisionList extends FeedState {
  readonly error: unknown
  readonly isLoadingOlder: boolean
  readonly loadOlder: () => void
  readonly refetch: () => void
}

/**
 * Decisions that pass the filter, newest first. Mount it anew for another filter.
 *
 * @param isHeld whether newer ones are held back, as while somebody reads further down
 * @param shown the index of a record on screen, and those before it: what became of them is asked for again, too
 */
export function useDecisionList(filter: DecisionFilter, isHeld: boolean, shown: number | null): DecisionList {
  const api = useApi()
  const client = useQueryClient()
  const [feed] = useState(() => new DecisionFeed())
  const state = useSyncExternalStore(feed.subscribe, feed.state)
  const [older, setOlder] = useState<{ isLoading: boolean; error: unknown }>({
    isLoading: false,
    error: null,
  })

  const newest = useQuery({
    queryKey: ['decisions', filter],
    queryFn: ({ signal }) => api.decisions(filter, null, newestPageSize, signal),
  })
  const held = useRef(isHeld)
  useEffect(() => {
    held.current = isHeld
  })
  useEffect(() => {
    if (newest.data !== undefined) feed.takeNewest(newest.data, held.current)
  }, [feed, newest.data])
  // What was held back comes as soon as the reader is at the top again.
  const isDue = state.fresh > 0 && !isHeld
  useEffect(() => {
    if (isDue && newest.data !== undefined) feed.takeNewest(newest.data, false)
  }, [feed, newest.data, isDue])

  const again = useQuery({
    queryKey: ['decisions', filter, shown],
    queryFn: ({ signal }) => api.decisions(filter, (shown ?? 0) + 1, newestPageSize, signal),
    enabled: shown !== null,
    gcTime: 0,
  })
  useEffect(() => {
    if (again.data !== undefined) feed.takeAgain(again.data)
  }, [feed, again.data])

  const loadOlder = useCallback(() => {
    const { next } = feed.state()
    if (next === null) return
    setOlder({ isLoading: true, error: null })
    client
      .query({
        queryKey: ['older-decisions', filter, next],
        queryFn: ({ signal }) => api.decisions(filter, next, olderPageSize, signal),
        gcTime: 0,
      })
      .then(
        (page) => {
          if (feed.state().next === next) feed.takeOlder(page)
          setOlder({ isLoading: false, error: null })
        },
        (error: unknown) => setOlder({ isLoading: false, error }),
      )
  }, [api, client, feed, filter])

  return {
    ...state,
    error: newest.error ?? older.error,
    isLoadingOlder: older.isLoading,
    loadOlder,
    refetch: () => {
      void newest.refetch()
      if (older.error !== null) loadOlder()
    },
  }
}
