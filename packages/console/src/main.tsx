import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { QueryClientProvider } from '@tanstack/react-query'
import { createApi } from './api.ts'
import { App } from './app.tsx'
import { ErrorBoundary } from './parts/error-boundary.tsx'
import { ApiContext, createQueryClient } from './queries.ts'

const root = document.getElementById('root')
if (root === null) throw new Error('the page has no element with id `root`')
createRoot(root).render(
  <StrictMode>
    <ErrorBoundary>
      <ApiContext value={createApi()}>
        <QueryClientProvider client={createQueryClient()}>
          <App />
        </QueryClientProvider>
      </ApiContext>
    </ErrorBoundary>
  </StrictMode>,
)
