import type { ReactNode } from 'react'

/** The drawings of this console; each is told apart by its shape, never only by its colour. */
export type IconName =
  | 'allow'
  | 'deny'
  | 'escalate'
  | 'clock'
  | 'check'
  | 'cross'
  | 'unknown'
  | 'back'
  | 'forward'
  | 'warning'
  | 'link'
  | 'shadow'
  | 'todo'
  | 'open'
  | 'erased'
  | 'masked'
  | 'inbox'
  | 'list'
  | 'agent'
  | 'policy'
  | 'people'
  | 'bell'
  | 'sound'
  | 'keys'
  | 'shield'
  | 'pause'

const drawings: Readonly<Record<IconName, ReactNode>> = {
  allow: <path d="M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM5 8.2l2.1 2.1L11 6.2" />,
  deny: <path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3ZM5 8h6" />,
  escalate: <path d="M8 1.3 14.7 8 8 14.7 1.3 8ZM8 10.8V5.4M5.9 7.3 8 5.2l2.1 2.1" />,
  clock: <path d="M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM8 4.5V8l2.4 1.6" />,
  check: <path d="m3 8.6 3.2 3.2L13 4.8" />,
  cross: <path d="m4 4 8 8M12 4l-8 8" />,
  unknown: (
    <path d="M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM6.2 6.3a1.8 1.8 0 1 1 2.7 1.6c-.6.3-.9.7-.9 1.2M8 11.4v.1" />
  ),
  back: <path d="M9.8 3.5 5.3 8l4.5 4.5" />,
  forward: <path d="M6.2 3.5 10.7 8l-4.5 4.5" />,
  warning: <path d="M8 1.8 15 14H1ZM8 6.3v3.4M8 11.8v.1" />,
  shadow: (
    <path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM8 6.1a1.9 1.9 0 1 0 0 3.8 1.9 1.9 0 0 0 0-3.8Z" />
  ),
  todo: <path d="M2.5 4.2 3.6 5.3 5.6 3.1M8.3 4.2h5.2M2.5 11l1.1 1.1 2-2.2M8.3 11.2h5.2" />,
  erased: <path d="M3 4.5h10M6.2 4.5V3h3.6v1.5M4.3 4.5l.6 8.5h6.2l.6-8.5M6.8 7.2v3.4M9.2 7.2v3.4" />,
  open: <path d="m5.5 3.5 4.5 4.5-4.5 4.5" />,
  masked: <path d="M4 7.3h8v6.2H4ZM5.6 7.3V5a2.4 2.4 0 0 1 4.8 0v2.3" />,
  inbox: <path d="M2 9.5 4 3h8l2 6.5V13H2ZM2 9.5h3.4l.9 1.6h3.4l.9-1.6H14" />,
  list: <path d="M5.5 4h8.5M5.5 8h8.5M5.5 12h8.5M2.2 4h.1M2.2 8h.1M2.2 12h.1" />,
  agent: <path d="M3.5 5.5h9v7h-9ZM8 5.5V2.6M6.2 8.6v1.2M9.8 8.6v1.2M1.6 8v2.6M14.4 8v2.6" />,
  policy: <path d="M4 1.8h5.4L12.5 5v9.2H4ZM9.3 1.8V5h3.2M6.2 8h4M6.2 10.8h4" />,
  people: (
    <path d="M6 7.4a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8ZM1.5 13.4c.3-2.5 2.1-3.8 4.5-3.8s4.2 1.3 4.5 3.8M10.6 2.9a2.3 2.3 0 0 1 0 4.3M12 9.9c1.4.5 2.3 1.7 2.5 3.5" />
  ),
  bell: (
    <path d="M8 1.8c-2.4 0-4 1.8-4 4v2.7L2.6 11h10.8L12 8.500V5.8c0-2.2-1.600-4-4-4ZM6.600 13.300c.3.5.8.8 1.400.8s1.100-.3 1.400-.8" />
  ),
  sound: (
    <path d="M2 6v4h2.600L8 13V3L4.600 6ZM10.500 5.800c1.300 1.200 1.300 3.200 0 4.400M12.400 3.800c2.500 2.300 2.500 6.100 0 8.400" />
  ),
  keys: <path d="M1.500 4h13v8h-13ZM4 6.700h.1M6.700 6.700h.1M9.300 6.700h.1M12 6.700h.1M4.500 9.500h7" />,
  shield: (
    <path d="M8 1.500 13.500 3.500v4c0 3.500-2.300 5.900-5.500 7-3.200-1.100-5.500-3.500-5.500-7v-4ZM5.600 8l1.700 1.700 3.200-3.400" />
  ),
  pause: <path d="M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM6.300 5.500v5M9.700 5.500v5" />,
  link: <path d="M6.3 3H3v10h10V9.7M9.3 3H13v3.7M13 3 7.5 8.5" />,
}

/** One drawing in the colour of the text around it; decoration, so it is hidden from screen readers. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg
      className="icon"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {drawings[name]}
    </svg>
  )
}

/** The mark: an area with a boundary, and someone inside it. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <path
        d="M9.5 4H6.2A2.2 2.2 0 0 0 4 6.2v11.6A2.2 2.2 0 0 0 6.2 20h3.3M14.5 4h3.3A2.2 2.2 0 0 1 20 6.2v11.6a2.2 2.2 0 0 1-2.2 2.2h-3.3"
        stroke="currentColor"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
      <circle className="mark-dot" cx="12" cy="12" r="2.7" />
    </svg>
  )
}
