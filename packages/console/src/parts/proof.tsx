import { useState } from 'react'
import { useMutation, useQuery } from '@tanstack/react-query'
import type { Decision, Proof } from '../api.ts'
import { asProblem } from '../problem.ts'
import { useApi } from '../queries.ts'
import { verifyHere } from '../verifier.ts'
import type { Finding } from '../verifier.ts'
import { jsonText } from '@bailiwick/core/words'
import { visibleText } from '../wording.ts'
import { Entry, Section } from './document.tsx'
import { Code } from './fields.tsx'
import { Icon } from './icons.tsx'

/** That the record is in the log, checked in this browser, and the record as it was hashed. */
export function ProofSections({ decision }: { readonly decision: Decision }) {
  const api = useApi()
  const found = useQuery({
    queryKey: ['proof', decision.id],
    queryFn: ({ signal }) => api.proof(decision.id, signal),
    staleTime: Infinity,
  })
  const missing = found.isError ? (
    <MissingProof error={found.error} onRetry={() => void found.refetch()} />
  ) : (
    <p className="quiet">Loading…</p>
  )
  return (
    <>
      <Section id="proof" title="Proof" note="Checked in this browser">
        {found.data === undefined ? missing : <ProofCheck proof={found.data} />}
      </Section>
      <Section id="record" title="Raw record" note="As it was hashed">
        {found.data === undefined ? missing : <RawRecord proof={found.data} />}
      </Section>
    </>
  )
}

function MissingProof({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const problem = asProblem(error)
  return (
    <div className="notice" role="status">
      <Icon name="clock" />
      <div>
        <p>
          {problem.status === 404
            ? 'The record is not in a published checkpoint yet. That takes a second or so.'
            : `${visibleText(problem.message)}.`}
        </p>
        <button type="button" className="button button-small" onClick={onRetry}>
          Try again
        </button>
      </div>
    </div>
  )
}

function ProofCheck({ proof }: { readonly proof: Proof }) {
  const [key, setKey] = useState('')
  const check = useMutation({
    mutationFn: () =>
      verifyHere(
        proof.bundle,
        key.split(/\s+/).filter((part) => part !== ''),
      ),
  })
  return (
    <div className="proof">
      <dl className="entries entries-row">
        <Entry name="Record">
          <span className="number">{proof.index}</span>
        </Entry>
        <Entry name="In a log of">
          <span className="number">{proof.size.toLocaleString('en')}</span> records
        </Entry>
      </dl>
      <label className="comment">
        <span>
          Key of the log{' '}
          <span className="quiet">optional, from somebody you trust; else the proof’s own is used</span>
        </span>
        <input
          type="text"
          value={key}
          autoComplete="off"
          spellCheck={false}
          placeholder="name+hash+key"
          onChange={(event) => setKey(event.target.value)}
        />
      </label>
      <div className="proof-buttons">
        <button
          type="button"
          className="button button-primary"
          disabled={check.isPending}
          onClick={() => check.mutate()}
        >
          <Icon name="shield" />
          {check.isPending ? 'Checking…' : 'Check the proof here'}
        </button>
        <a className="button" href="/log/verify.html">
          Check it elsewhere
        </a>
        <button type="button" className="button" onClick={() => saveBundle(proof)}>
          Save the proof
        </button>
      </div>
      {check.isError && (
        <p className="rule-error" role="alert">
          <Icon name="warning" />
          {visibleText(asProblem(check.error).message)}
        </p>
      )}
      {check.data !== undefined && <Verdict finding={check.data} />}
    </div>
  )
}

function saveBundle({ bundle, index }: Proof): void {
  const address = URL.createObjectURL(new Blob([bundle], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = address
  link.download = `record-${index}.proof.json`
  link.click()
  URL.revokeObjectURL(address)
}

const verdicts: Readonly<Record<Finding['outcome'], { tone: string; title: string; meaning: string }>> = {
  proven: {
    tone: 'good',
    title: 'Proven',
    meaning: 'The log whose key you entered holds this record, word for word.',
  },
  'self-signed': {
    tone: 'plain',
    title: 'It holds together',
    meaning:
      'Record, proof and signature fit one another. Who signed is not known: the key came with the proof. Enter the key of the log, from somebody you trust, to know that too.',
  },
  keyless: {
    tone: 'plain',
    title: 'It holds together',
    meaning:
      'Record and proof lead to the root in the checkpoint. No signature was checked: there is no key. Enter the key of the log, from somebody you trust.',
  },
  refuted: {
    tone: 'bad',
    title: 'Not proven',
    meaning: 'Do not rely on this record. An operator should run “bailiwick log verify”.',
  },
  unsupported: { tone: 'bad', title: 'Not checked', meaning: 'Nothing has been proven or disproven.' },
}

function Verdict({ finding: { outcome, checks } }: { readonly finding: Finding }) {
  const { tone, title, meaning } = verdicts[outcome]
  return (
    <div className={`notice notice-${tone}`} role="status">
      <Icon name={tone === 'bad' ? 'warning' : 'shield'} />
      <div>
        <strong>{title}</strong>
        <p>{meaning}</p>
        <ul className="checks">
          {checks.map((check) => (
            <li key={check.title}>
              <Icon name={!check.passed ? 'cross' : check.made ? 'check' : 'unknown'} />
              <span>
                {check.title}
                <span className="unseen">{!check.passed ? ': no' : check.made && ': yes'}</span>
                <span className="check-detail">{visibleText(check.detail)}</span>
              </span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  )
}

function RawRecord({ proof }: { readonly proof: Proof }) {
  return (
    <>
      <Code label="The record, laid out">{jsonText(JSON.parse(proof.record))}</Code>
      <details className="raw">
        <summary>Exactly as it was hashed</summary>
        <Code label="The record, exactly as it was hashed">{visibleText(proof.record)}</Code>
      </details>
    </>
  )
}
