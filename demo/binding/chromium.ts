import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** What makes Chromium bind sessions to keys in software, trust our certificate, and sign as often as a demo wants. */
export function chromiumFlags(spkiHash: string): string[] {
  return [
    '--enable-features=DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting',
    `--ignore-certificate-errors-spki-list=${spkiHash}`,
  ]
}

const onPath = ['chromium', 'chromium-browser', 'google-chrome', 'chrome.exe']
const elsewhere = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  String.raw`C:\Program Files\Google\Chrome\Application\chrome.exe`,
]

/** Opens a page in a Chromium with a new profile, if there is one, and a screen. Returns its path. */
export function openChromium(flags: readonly string[], url: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const places = [...onPath.flatMap((name) => folders.map((folder) => join(folder, name))), ...elsewhere]
  const path = places.find((place) => existsSync(place))
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  const hasScreen = process.platform !== 'linux' || Boolean(DISPLAY ?? WAYLAND_DISPLAY)
  if (path === undefined || !hasScreen) return undefined
  const profile = mkdtempSync(join(tmpdir(), 'demo-binding-'))
  // Chromium refuses its sandbox to root.
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const more = [`--user-data-dir=${profile}`, '--no-first-run', '--no-default-browser-check', ...root]
  const child = spawn(path, [...flags, ...more, url], { stdio: 'ignore' })
  child.on('exit', () => rmSync(profile, { recursive: true, force: true }))
  child.on('error', () => undefined)
  process.on('exit', () => child.kill())
  return path
}
