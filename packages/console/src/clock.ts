import { useEffect, useState } from 'react'
import { useApi } from './queries.ts'

/** The service's time in milliseconds, renewed every second. */
export function useNow(): number {
  const api = useApi()
  const [now, setNow] = useState(() => api.serviceNow())
  useEffect(() => {
    const interval = window.setInterval(() => setNow(api.serviceNow()), 1000)
    return () => window.clearInterval(interval)
  }, [api])
  return now
}

/** Sets the document's title, with the number of approvals that wait. */
export function useTitle(page: string, waiting: number): void {
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${page} · Bailiwick`
  }, [page, waiting])
}
