import { useState } from 'react'
import { chime } from '../chime.ts'
import { changePreferences, usePreferences } from '../preferences.ts'
import { Icon } from './icons.tsx'

/** How a person wants to hear of new approvals on this device. Nothing unless they say so. */
export function NewsChoices() {
  const { sound, notify } = usePreferences()
  const [isRefused, setRefused] = useState(false)
  const changeNotify = async (): Promise<void> => {
    if (notify) return changePreferences({ notify: false })
    const permission = await Notification.requestPermission()
    setRefused(permission !== 'granted')
    changePreferences({ notify: permission === 'granted' })
  }
  return (
    <div className="news-choices" role="group" aria-label="Tell me of new approvals">
      <button
        type="button"
        className="button button-small toggle"
        aria-pressed={sound}
        onClick={() => {
          // Heard at once, so that people know what to listen for; a browser plays sound only after a click.
          if (!sound) chime()
          changePreferences({ sound: !sound })
        }}
      >
        <Icon name="sound" />
        <span className="news-word">Sound</span>
      </button>
      {'Notification' in window && (
        <button
          type="button"
          className="button button-small toggle"
          aria-pressed={notify}
          onClick={() => void changeNotify()}
        >
          <Icon name="bell" />
          <span className="news-word">Notifications</span>
        </button>
      )}
      {isRefused && (
        <p className="small quiet" role="status">
          The browser does not allow notifications from this address.
        </p>
      )}
    </div>
  )
}
