import { execFileSync } from 'node:child_process'
import { chromium, type Browser } from 'playwright-core'

/** The Chromium on PATH. */
export function chromiumPath(): string {
  const find = 'command -v chromium || command -v chromium-browser || command -v google-chrome'
  return execFileSync('sh', ['-c', find], { encoding: 'utf8' }).trim()
}

/** With nothing that asks the internet. */
export const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
]

/** Starts the Chromium on PATH. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs })
}
