const notes = [659.25, 880] as const
const noteSeconds = 0.16

/** Two short tones. Silent where the browser plays none, as before the first click on a page. */
export function chime(): void {
  const audio = new AudioContext()
  notes.forEach((frequency, at) => {
    const start = audio.currentTime + at * noteSeconds
    const tone = audio.createOscillator()
    const volume = audio.createGain()
    tone.frequency.value = frequency
    volume.gain.setValueAtTime(0, start)
    volume.gain.linearRampToValueAtTime(0.12, start + 0.02)
    volume.gain.exponentialRampToValueAtTime(0.001, start + noteSeconds)
    tone.connect(volume).connect(audio.destination)
    tone.start(start)
    tone.stop(start + noteSeconds)
    if (at === notes.length - 1) tone.addEventListener('ended', () => void audio.close())
  })
}
