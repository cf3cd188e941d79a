import type { ReactNode } from 'react'
import { Icon } from './icons.tsx'

/** What has become of something, set apart from the page around it. An alert is read out at once. */
export function Notice({
  tone,
  role,
  children,
}: {
  readonly tone: 'good' | 'bad'
  readonly role: 'status' | 'alert'
  readonly children: ReactNode
}) {
  return (
    <div className={`notice notice-${tone}`} role={role}>
      <Icon name={tone === 'good' ? 'check' : role === 'alert' ? 'warning' : 'cross'} />
      <div>{children}</div>
    </div>
  )
}
