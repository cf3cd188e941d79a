import { createHash } from 'node:crypto'
import type { VoteChoice } from '@bailiwick/core'
import { approvalWords, statusWords, type MembersWords, type ShownApproval } from './approval-words.ts'

/** What a page says beside the approval. */
export interface MailPage {
  readonly approval: ShownApproval
  /** Whose link it is. */
  readonly person: string
  /** Why the person cannot answer here, or what came of the answer; undefined where the form is shown. */
  readonly note?: { readonly text: string; readonly link?: string | undefined } | undefined
  /** Whether the person has to be signed in as well. */
  readonly needsSession: boolean
  /** What the person has chosen, and has not confirmed. */
  readonly choice?: VoteChoice | undefined
}

const style = `:root{color-scheme:light dark}
html{background:Canvas;color:CanvasText}
body{font:1.0625rem/1.5 system-ui,sans-serif;margin:0 auto;padding:1.25rem;max-width:40rem;overflow-wrap:anywhere}
h1{font-size:1.375rem;line-height:1.3;margin:.5rem 0 1rem}
h2{font-size:1.0625rem;margin:1.5rem 0 .5rem}
h2 .small{font-weight:400}
dl{display:grid;grid-template-columns:fit-content(45%) minmax(0,1fr);gap:.25rem 1rem;margin:.5rem 0}
dt{font-weight:600}dd{margin:0}
form{display:grid;gap:1rem;margin:1.5rem 0}
textarea{font:inherit;width:100%;min-height:5rem;box-sizing:border-box;padding:.5rem}
.answers{display:grid;grid-template-columns:1fr 1fr;gap:1rem}
button{font:inherit;font-weight:600;min-height:3rem;border-radius:.5rem;border:2px solid currentColor;background:Canvas;color:CanvasText}
.note{border:2px solid currentColor;border-radius:.5rem;padding:.75rem 1rem}
.small{font-size:.9375rem}`

const styleHash = createHash('sha256').update(style).digest('base64')

/**
 * The headers of such pages: no script, no other place, no frame, and the address, which is a secret, told to nobody.
 * `same-origin` and not `no-referrer`, because browsers leave out where a form came from with the latter.
 */
export const mailPageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
  'x-robots-tag': 'noindex, nofollow',
}

/**
 * The page that a link in an e-mail opens: what is asked, and forms that work without script. The first one chooses an answer and
 * records nothing; the second says once more what is agreed to, and gives the answer.
 */
export function mailPage(page: MailPage): string {
  const { approval, note } = page
  const words = approvalWords(approval)
  const waits = approval.status === 'pending' && words.voided === undefined
  const body = [
    `<p class="small">Bailiwick · ${escaped(approval.id)}</p>`,
    `<h1>${escaped(words.title)}</h1>`,
    partOf('Parameters', 'chosen by the agent', words.params),
    approval.erased === true ? '<p>What the call was about has been erased.</p>' : '',
    approval.sealed === true ? '<p>What the call is about is sealed and cannot be shown here.</p>' : '',
    partOf('Context', 'given by the host that runs the agent', words.context),
    `<h2>Why it was held</h2>`,
    `<ul>${words.reasons.map((reason) => `<li>${escaped(reason)}</li>`).join('')}</ul>`,
    waits
      ? `<p>Answer by <strong><time datetime="${escaped(approval.deadline)}">${escaped(words.deadline)}</time></strong>. ${escaped(words.ask)} No answer is a no.</p>`
      : `<p><strong>${escaped(statusWords(approval))}</strong></p>`,
    words.voided === undefined ? '' : `<p>${escaped(words.voided)}</p>`,
    words.count === '' ? '' : `<p>${escaped(words.count)}</p>`,
    note === undefined ? answering(page, words.headline) : noteOf(note),
    `<p class="small"><a href="${escaped(approval.url)}">Open in the console</a></p>`,
  ]
  return documentOf(words.title, body.join('\n'))
}

/** A page that says one thing only. @param link where to go on from there, if anywhere */
export function mailNotePage(title: string, text: string, link?: string): string {
  return documentOf(title, `<h1>${escaped(title)}</h1>\n${noteOf({ text, link })}`)
}

/** A page that asks for one thing, by a form that works without script. */
export function mailFormPage(asked: {
  readonly title: string
  readonly text: string
  /** What the button says. */
  readonly label: string
}): string {
  const { title, text, label } = asked
  return documentOf(
    title,
    `<h1>${escaped(title)}</h1>\n<p>${escaped(text)}</p>\n<form method="post"><button type="submit">${escaped(label)}</button></form>`,
  )
}

function answering(page: MailPage, headline: string): string {
  const yes = page.approval.terms.asks === 'acknowledgement' ? 'acknowledge' : 'approve'
  const { choice } = page
  return choice === yes || choice === 'reject' ? confirmation(page, choice, headline) : choosing(page, yes)
}

// No answer is chosen before, and both look alike.
function choosing({ person }: MailPage, yes: 'approve' | 'acknowledge'): string {
  return `<form method="get">
<p>You answer as <strong>${escaped(person)}</strong>. Choosing records nothing yet.</p>
<div class="answers">
<button type="submit" name="choice" value="reject">${answers.reject.choose}</button>
<button type="submit" name="choice" value="${yes}">${answers[yes].choose}</button>
</div>
</form>`
}

const answers: Readonly<Record<VoteChoice, { choose: string; about: string; give: string }>> = {
  approve: { choose: 'Approve…', about: 'You are about to approve', give: 'I agree to this' },
  acknowledge: {
    choose: 'I have looked…',
    about: 'You are about to say that you have looked at',
    give: 'I have looked at this',
  },
  reject: { choose: 'Reject…', about: 'You are about to reject', give: 'Reject this call' },
}

function confirmation(
  { approval, person, needsSession }: MailPage,
  choice: VoteChoice,
  headline: string,
): string {
  const { about, give } = answers[choice]
  const signedIn = needsSession
    ? ` You have to be <a href="${escaped(approval.url)}" target="_blank">signed in to the console</a> in this browser before you answer.`
    : ''
  return `<form method="post">
<h2>${about}</h2>
<p class="note">${escaped(headline)}</p>
<input type="hidden" name="digest" value="${escaped(approval.digest)}">
<label for="comment">Comment (optional)</label>
<textarea id="comment" name="comment" maxlength="2000"></textarea>
<p>You answer as <strong>${escaped(person)}</strong>.${signedIn} Your answer is recorded and cannot be undone.</p>
<button type="submit" name="vote" value="${choice}">${give}</button>
<p><a href="?">Back</a></p>
</form>`
}

function noteOf({ text, link }: NonNullable<MailPage['note']>): string {
  const to = link === undefined ? '' : ` <a href="${escaped(link)}">Go there</a>`
  return `<p class="note" role="status">${escaped(text)}${to}</p>`
}

function partOf(title: string, note: string, { shown, left }: MembersWords): string {
  if (shown.length === 0) return ''
  const rows = shown.map(({ name, value, isRemark }) => {
    const text = isRemark ? `<em>${escaped(value)}</em>` : escaped(value)
    return `<dt>${escaped(name)}</dt><dd>${text}</dd>`
  })
  const more = left > 0 ? `<p>and ${left} more, which the console shows</p>` : ''
  return `<h2>${title} <span class="small">${note}</span></h2>\n<dl>${rows.join('')}</dl>\n${more}`
}

function documentOf(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
