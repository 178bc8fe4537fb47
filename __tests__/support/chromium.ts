import { execFileSync } from 'node:child_process'
import { chromium, type Browser } from 'playwright-core'

/** Starts the Chromium on PATH, with nothing that asks the internet. */
export function launchChromium(): Promise<Browser> {
  const find = 'command -v chromium || command -v chromium-browser || command -v google-chrome'
  const executablePath = execFileSync('sh', ['-c', find], { encoding: 'utf8' }).trim()
  const quiet = [
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
  ]
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet],
  })
}
