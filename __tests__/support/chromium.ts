import { execFileSync } from 'node:child_process'
import { chromium, type Browser, type BrowserContext } from 'playwright-core'

/** Starts the Chromium on PATH, with nothing that asks the internet. */
export function launchChromium(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch(chromiumOptions(more))
}

/** The same Chromium with a profile in this folder, which outlives it. */
export function launchProfile(folder: string, more: readonly string[]): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, chromiumOptions(more))
}

function chromiumOptions(more: readonly string[]) {
  const find = 'command -v chromium || command -v chromium-browser || command -v google-chrome'
  const executablePath = execFileSync('sh', ['-c', find], { encoding: 'utf8' }).trim()
  const quiet = [
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
  ]
  return { executablePath, args: ['--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet, ...more] }
}
