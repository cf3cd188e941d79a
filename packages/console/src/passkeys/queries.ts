import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useApi } from '../queries.ts'
import { makePasskey } from './credentials.ts'

const key = ['passkeys'] as const

/** The passkeys of who is signed in. */
export function usePasskeys(isWanted = true) {
  const { passkeys } = useApi()
  return useQuery({ queryKey: key, queryFn: ({ signal }) => passkeys.list(signal), enabled: isWanted })
}

/** Has this device make a passkey, and registers it under the name. */
export function useRegister() {
  const { passkeys } = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (name: string) => passkeys.register(name, await makePasskey(await passkeys.begin())),
    onSettled: () => void client.invalidateQueries({ queryKey: key }),
  })
}

/** Removes a passkey, and with it every other session. `onRemoved` is called also where its row is gone by then. */
export function useRemove(onRemoved: () => void) {
  const { passkeys } = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => passkeys.remove(id),
    onSuccess: onRemoved,
    onSettled: () => {
      void client.invalidateQueries({ queryKey: key })
      void client.invalidateQueries({ queryKey: ['sessions'] })
    },
  })
}
