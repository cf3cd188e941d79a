import { createContext, useCallback, useContext } from 'react'
import {
  MutationCache,
  QueryCache,
  QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import type { Api, Approval, ApprovalStatus } from './api.ts'
import type { SignInProof } from './sign-in-api.ts'
import { Problem } from './problem.ts'
import { leaveNothingUnfinished } from './unfinished.ts'

/** The service; set once, at the root. */
export const ApiContext = createContext<Api | null>(null)

/** The service that this page talks to. */
export function useApi(): Api {
  const api = useContext(ApiContext)
  if (api === null) throw new Error('no ApiContext above this component')
  return api
}

/** What waits is asked for in as few pages as the service gives: its order is that of deadlines, not of the log. */
const pendingPageSize = 200
const approvalPageSize = 50
const signInKey = ['sign-in'] as const
/** While such a mutation is under way, nothing more is asked for. */
export const signOutKey = ['sign-out'] as const

/** A cache that signs the page out when a request is answered, and a query twice, that nobody is signed in. */
export function createQueryClient(): QueryClient {
  const signOutIfRefused = (thrown: unknown): void => {
    if (isSignedOut(thrown)) client.setQueryData(['session'], null)
  }
  const client = new QueryClient({
    queryCache: new QueryCache({ onError: signOutIfRefused }),
    mutationCache: new MutationCache({
      onError: (thrown, _variables, _result, { options }) => {
        // A refused sign-in token says nothing about the session that may exist already.
        if (options.mutationKey?.[0] !== signInKey[0]) signOutIfRefused(thrown)
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 2000,
        // Where a change of what lets one in has just given the page another session, what was asked with the one before is
        // asked once more: whoever was signed out at that moment would never see the new recovery codes.
        retry: (failures, thrown) => failures < 1 && (!isRefusal(thrown) || isSignedOut(thrown)),
        // The service often runs on this very machine, where being offline says nothing.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })
  return client
}

/** Who is signed in; null where nobody is. */
export function useSession() {
  const api = useApi()
  return useQuery({
    queryKey: ['session'],
    queryFn: ({ signal }) => api.session(signal),
    staleTime: Infinity,
  })
}

/** Says, whenever it is asked, whether nobody is signed in any more. */
export function useIsSignedOut(): () => boolean {
  const client = useQueryClient()
  return useCallback(() => client.getQueryData(['session']) === null, [client])
}

/** Whether the person who is signed in may do what endpoints name so; false until it is known. */
export function useMay(permission: string): boolean {
  return useSession().data?.permissions.includes(permission) === true
}

/** Shows the service a proof. Null: signed in, and nothing of an earlier session stays in memory. */
export function useSignIn() {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationKey: signInKey,
    mutationFn: async (proof: SignInProof) => {
      const step = await api.signIn.prove(proof)
      return { step, session: step === null ? await api.session() : null }
    },
    onSuccess: ({ session }) => {
      if (session === null) return
      client.clear()
      client.setQueryData(['session'], session)
    },
  })
}

/** How people can sign in here, beside links. */
export function useSignInWays() {
  const api = useApi()
  return useQuery({
    queryKey: ['sign-in-ways'],
    queryFn: ({ signal }) => api.signIn.ways(signal),
    staleTime: Infinity,
  })
}

/** Leaves for the sign-in page of the identity provider. */
export function useProvider() {
  const api = useApi()
  return useMutation({
    mutationKey: signInKey,
    mutationFn: () => api.signIn.startProvider(),
    onSuccess: (url) => window.location.assign(url),
  })
}

/** Ends the session on the service, then forgets everything it showed. */
export function useSignOut(onDone: () => void) {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationKey: signOutKey,
    mutationFn: () => api.signOut(),
    onSuccess: () => {
      leaveNothingUnfinished()
      onDone()
      client.clear()
      client.setQueryData(['session'], null)
    },
  })
}

/** One decision; null: asks nothing. */
export function useDecision(id: string | null) {
  const api = useApi()
  return useQuery({
    queryKey: ['decision', id],
    queryFn: ({ signal }) => api.decision(id ?? '', signal),
    enabled: id !== null,
  })
}

/** Why a decision was made as it was. It is worked out from the record, so it never changes. */
export function useExplanation(id: string) {
  const api = useApi()
  return useQuery({
    queryKey: ['explanation', id],
    queryFn: ({ signal }) => api.explanation(id, signal),
    staleTime: Infinity,
  })
}

/** What waits for people now; undefined until it is known. `hasMore`: there is more than was loaded. */
export function usePendingApprovals(): { approvals: readonly Approval[] | undefined; hasMore: boolean } {
  const list = useApprovals('pending')
  return { approvals: list.data?.pages.flatMap((page) => page.approvals), hasMore: list.hasNextPage }
}

/** Approvals of one status (null: of all), newest first, page after page. */
export function useApprovals(status: ApprovalStatus | null) {
  const api = useApi()
  const pageSize = status === 'pending' ? pendingPageSize : approvalPageSize
  return useInfiniteQuery({
    queryKey: ['approvals', status],
    queryFn: ({ pageParam, signal }) => api.approvals(status, pageParam, pageSize, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
  })
}

/** One approval; null: asks nothing. */
export function useApproval(id: string | null) {
  const api = useApi()
  return useQuery({
    queryKey: ['approval', id],
    queryFn: ({ signal }) => api.approval(id ?? '', signal),
    enabled: id !== null,
  })
}

/** What helps to answer an approval. The history behind it is that of before the call, so it hardly changes. */
export function useApprovalContext(id: string) {
  const api = useApi()
  return useQuery({
    queryKey: ['approval-context', id],
    queryFn: ({ signal }) => api.approvalContext(id, signal),
  })
}

function isSignedOut(thrown: unknown): boolean {
  return thrown instanceof Problem && thrown.status === 401
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof Problem && thrown.status !== null && thrown.status < 500
}
