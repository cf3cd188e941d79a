import { useMutation, useQueryClient } from '@tanstack/react-query'

/** A change of one's own account: what is shown of it, and of sessions, is asked for anew. */
export function useAccountChange<Input, Result>(change: (input: Input) => Promise<Result>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['account'] })
      await client.invalidateQueries({ queryKey: ['sessions'] })
    },
  })
}
