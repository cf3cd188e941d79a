import { verifyText } from './verify.js'

// What a record says of itself, in the order in which people ask; everything else is in its full text.
const members = [
  ['kind', 'Kind'],
  ['at', 'Time'],
  ['id', 'Id'],
  ['decision', 'Decision'],
  ['approval', 'Approval'],
  ['agent', 'Agent'],
  ['action', 'Action'],
  ['effect', 'Effect'],
  ['reasons', 'Reasons'],
  ['status', 'Status'],
  ['person', 'Person'],
  ['vote', 'Vote'],
  ['event', 'Event'],
  ['subject', 'Subject'],
  ['grants', 'Grants'],
  ['session', 'Session'],
  ['callId', 'Call id'],
]

const verdicts = {
  proven: [
    'Proven',
    'The log whose key you entered holds this record, at this place, word for word. Not a character of it has been changed since the checkpoint was signed.',
  ],
  'self-signed': [
    'It holds together, but who signed it is not known',
    'Proven: record, proof and signature fit one another. Not proven: whose key that is. It came with the bundle, so whoever made the bundle may have made all of it. Enter the key of the log, from somebody you trust.',
  ],
  keyless: [
    'It holds together, but no signature was checked',
    'Proven: the record and its proof lead to the root in the checkpoint. Not proven: that the log has signed that checkpoint. This bundle brings no key, so anybody may have made all of it. Enter the key of the log, from somebody you trust.',
  ],
  refuted: [
    'Not proven',
    'Do not rely on this bundle. Get it again from its source; if it stays so, treat it as forged.',
  ],
  unsupported: ['Not checked', 'Nothing has been proven or disproven.'],
}

const notProven = [
  'That what the record says is true: the log proves what was recorded, not what happened.',
  'The time: it is the clock of the service that wrote the record.',
  'That this is all: later records may say more, such as the outcome, a vote or an erasure.',
  'That everybody is shown the same log: compare checkpoints with others, or look for the signatures of witnesses.',
]

const byId = (id) => document.getElementById(id)
const [drop, file, pasted, keys, result] = ['drop', 'file', 'pasted', 'keys', 'result'].map(byId)
const fileBytesMax = 8_000_000
let text = ''
let run = 0

/** Checks what has been entered last; an answer that comes late for earlier input is dropped. */
function show() {
  run += 1
  const mine = run
  // No verdict stands beside an input that it is not about.
  result.replaceChildren()
  if (text.trim() === '') return
  const trusted = keys.value.split(/\s+/).filter((key) => key !== '')
  verifyText(text, trusted).then(
    (found) => mine === run && result.replaceChildren(...shownResultOf(found)),
    (error) => mine === run && result.replaceChildren(...resultOf(unexpected(error))),
  )
}

// A record may say anything: what it says must not leave the page without a verdict.
function shownResultOf(found) {
  try {
    return resultOf(found)
  } catch (error) {
    return resultOf(unexpected(error))
  }
}

function unexpected(error) {
  const detail = `This page met an error that it did not expect: ${error?.message ?? error}`
  return { outcome: 'unsupported', checks: [{ title: 'Checking', passed: false, detail }], signers: [] }
}

function open(name, content) {
  byId('file-name').textContent = shown(name)
  text = content
  show()
}

function openFile(chosen) {
  if (chosen === undefined) return
  pasted.value = ''
  // A file of another size is no bundle, and is not read.
  if (chosen.size > fileBytesMax) return open(chosen.name, 'too large')
  chosen.text().then(
    (content) => open(chosen.name, content),
    () => open(`${chosen.name} could not be read`, ''),
  )
}

file.addEventListener('change', () => openFile(file.files[0]))
pasted.addEventListener('input', () => open('Pasted text', pasted.value))
keys.addEventListener('input', () => show())
for (const event of ['dragenter', 'dragover']) {
  document.addEventListener(event, (dragged) => {
    dragged.preventDefault()
    drop.classList.add('over')
  })
}
document.addEventListener('dragleave', (dragged) => {
  if (dragged.relatedTarget === null) drop.classList.remove('over')
})
document.addEventListener('drop', (dropped) => {
  dropped.preventDefault()
  drop.classList.remove('over')
  const [chosen] = dropped.dataTransfer.files
  if (chosen === undefined) open('Dropped text', dropped.dataTransfer.getData('text'))
  else openFile(chosen)
})

function resultOf(found) {
  const [title, meaning] = verdicts[found.outcome]
  const failed = found.checks.find(({ passed }) => !passed)
  const verdict = element('section', `verdict ${found.outcome}`, [
    element('strong', '', [title]),
    ...(failed === undefined ? [] : [element('p', 'why', [shown(failed.detail)])]),
    element('p', '', [meaning]),
  ])
  const left = [checksPanel(found)]
  const holds = found.outcome === 'proven' || isUnsure(found.outcome)
  if (holds) left.push(pointsPanel('What this does not prove', notProven))
  const right = holds ? [recordPanel(found), payloadPanel(found), checkpointPanel(found)] : []
  // A record that was not proven is not shown like one that was.
  if (!holds && found.record !== undefined) right.push(unprovenPanel(found))
  return [
    verdict,
    element('div', 'columns', [element('div', 'column', left), element('div', 'column', right)]),
  ]
}

const stepCount = 5

/** Whether all fits together, and nobody knows who has made it. */
function isUnsure(outcome) {
  return outcome === 'self-signed' || outcome === 'keyless'
}

/** The place of the check that rests on whose key it is. */
const signatureStep = 2

function checksPanel({ checks, outcome }) {
  const signOf = ({ passed, made }, at) => {
    if (!passed) return ['no', '✗']
    if (at === signatureStep && isUnsure(outcome)) return ['unsure', '?']
    return made ? ['yes', '✓'] : ['unasked', '–']
  }
  const rows = checks.map((check, at) =>
    element('li', signOf(check, at)[0], [
      element('span', 'sign', [signOf(check, at)[1]]),
      element('span', '', [check.title]),
      element('span', 'quiet', [shown(check.detail)]),
    ]),
  )
  if (checks.length < stepCount) {
    const rest = `${stepCount - checks.length} further ${stepCount - checks.length === 1 ? 'check' : 'checks'} not made`
    rows.push(element('li', 'unasked', [element('span', 'sign', ['–']), element('span', '', [rest])]))
  }
  return element('section', 'panel', [element('h2', '', ['Checks']), element('ol', 'checks', rows)])
}

function pointsPanel(title, points) {
  const list = element(
    'ul',
    'points',
    points.map((point) => element('li', '', [point])),
  )
  return element('section', 'panel last', [element('h2', '', [title]), list])
}

function recordPanel({ record, bundle }) {
  const rows = members.filter(([name]) => record[name] !== undefined && record[name] !== null)
  const facts = [
    ['Record', `${bundle.index} of ${record.ledger}`],
    ...rows.map(([name, label]) => [label, record[name]]),
  ]
  return element('section', 'panel', [
    element('h2', '', ['The record']),
    factsList(facts),
    details('All of it, as it was hashed', JSON.stringify(record, null, 2)),
  ])
}

function payloadPanel({ payload, bundle }) {
  const texts = {
    withheld: 'Left out of this bundle. The record commits to it, so that it can be shown later and checked.',
    erased:
      'Erased, by the word of whoever made the bundle. The record remains; nothing of the payload can be learned from it.',
    none: 'This record never had one.',
  }
  const sealed =
    payload !== undefined && typeof payload === 'object' && payload !== null && 'sealed' in payload
  const body = sealed
    ? element('p', 'quiet', [
        'Sealed: it is the one that the record commits to, and what opens it is not in this bundle. Whoever has the payload key can show what it says.',
      ])
    : payload === undefined
      ? element('p', 'quiet', [texts[bundle.payload.state]])
      : element('pre', '', [shown(JSON.stringify(payload, null, 2))])
  return element('section', 'panel', [element('h2', '', ['The payload']), body])
}

function checkpointPanel({ checkpoint, signers, bundle }) {
  const root = Array.from(checkpoint.root, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return element('section', 'panel', [
    element('h2', '', ['The checkpoint']),
    factsList([
      ['Log', checkpoint.origin],
      ['Records', checkpoint.size],
      ['Root', root, 'code'],
      ...signers.map((key) => ['Key', key, 'code']),
    ]),
    details('The signed note', bundle.checkpoint),
  ])
}

function unprovenPanel({ record }) {
  return element('section', 'panel', [
    element('h2', '', ['What the bundle claims']),
    details('The record, not proven', JSON.stringify(record, null, 2)),
  ])
}

function factsList(facts) {
  const rows = facts.flatMap(([label, value, style = '']) => [
    element('dt', '', [label]),
    element('dd', style, [shown(typeof value === 'object' ? [value].flat().join('; ') : String(value))]),
  ])
  return element('dl', 'facts', rows)
}

function details(title, content) {
  return element('details', '', [element('summary', '', [title]), element('pre', '', [shown(content)])])
}

function element(name, style, children) {
  const made = document.createElement(name)
  if (style !== '') made.className = style
  made.append(...children)
  return made
}

/** Text as it is, with what would not be seen, or would turn the direction of others, spelled out. */
function shown(value) {
  return value.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (unit) =>
    unit === '\n' ? unit : `\u2423U+${unit.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  )
}
