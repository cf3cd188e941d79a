import { useEffect } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { QueryClient } from '@tanstack/react-query'
import type { Approval, Ballot } from './api.ts'
import { signatureFor } from './passkeys/sign-vote.ts'
import { useApi, useApprovals } from './queries.ts'
import type { NewDelegation } from './voting-api.ts'

/** So much of what waits is held in the page; of what goes beyond, it says that there is more. */
const pendingPagesMax = 5
const delegationsKey = ['delegations'] as const
const grantsKey = ['grants'] as const

/** Loads what waits page after page, so that its count is right and the nearest deadline of all comes first. */
export function useLoadingPending(): void {
  const { data, hasNextPage, isFetching, isFetchNextPageError, fetchNextPage } = useApprovals('pending')
  const pages = data?.pages.length ?? 0
  // Not while it is refreshed, and not again at once where it failed: the next refresh tries anew.
  const isDue = hasNextPage && !isFetching && !isFetchNextPageError && pages < pendingPagesMax
  useEffect(() => {
    if (isDue) void fetchNextPage({ cancelRefetch: false })
  }, [isDue, fetchNextPage])
}

/** Casts the signed-in person's vote. */
export function useVote(approval: Approval) {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (ballot: Ballot) =>
      api.voting.vote(approval, ballot, await signatureFor(api, approval, ballot)),
    onSuccess: (after) => client.setQueryData(['approval', approval.id], after),
    onSettled: () => askAgain(client, [approval]),
  })
}

/** Casts the same vote on several approvals, each on its own digest. */
export function useVoteTogether() {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ approvals, ...ballot }: TogetherBallot) => api.voting.voteTogether(approvals, ballot),
    onSettled: (_answer, _thrown, { approvals }) => askAgain(client, approvals),
  })
}

interface TogetherBallot extends Pick<Ballot, 'choice' | 'comment'> {
  readonly approvals: readonly Approval[]
}

/** Withdraws an approval. */
export function useWithdrawal(approval: Approval, onDone: () => void) {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (reason: string) => api.voting.withdraw(approval.id, reason),
    onSuccess: (after) => {
      client.setQueryData(['approval', approval.id], after)
      onDone()
    },
    onSettled: () => askAgain(client, [approval]),
  })
}

/** Who votes in whose stead. */
export function useDelegations() {
  const api = useApi()
  return useQuery({ queryKey: delegationsKey, queryFn: ({ signal }) => api.voting.delegations(signal) })
}

/** Lets somebody vote in another's stead. */
export function useDelegate(onDone: () => void) {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (request: NewDelegation) => api.voting.delegate(request),
    onSuccess: onDone,
    onSettled: () => void client.invalidateQueries({ queryKey: delegationsKey }),
  })
}

/** Ends a delegation before its time. */
export function useRevocation(id: string, onDone: () => void) {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (reason: string) => api.voting.revokeDelegation(id, reason),
    onSuccess: onDone,
    onSettled: () => void client.invalidateQueries({ queryKey: delegationsKey }),
  })
}

/** The standing grants that are live. */
export function useGrants() {
  const api = useApi()
  return useQuery({ queryKey: grantsKey, queryFn: ({ signal }) => api.voting.grants(signal) })
}

/** Ends a standing grant before its time. */
export function useGrantRevocation(id: string, onDone: () => void) {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (reason: string) => api.voting.revokeGrant(id, reason),
    onSuccess: onDone,
    onSettled: () => void client.invalidateQueries({ queryKey: grantsKey }),
  })
}

// Whatever the answer was, the lists and these approvals may have changed; after a lost reply, only the service knows.
function askAgain(client: QueryClient, approvals: readonly Approval[]): void {
  void client.invalidateQueries({ queryKey: ['approvals'] })
  for (const { id } of approvals) void client.invalidateQueries({ queryKey: ['approval', id] })
}
