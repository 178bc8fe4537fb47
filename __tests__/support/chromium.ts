import { execFileSync } from 'node:child_process'
import { chromium, type Browser, type BrowserContext } from 'playwright-core'

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
export function launchChromium(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: [...chromiumArgs, ...more] })
}

/** The same with a profile in this folder, which outlives it. */
export function launchProfile(folder: string, more: readonly string[]): Promise<BrowserContext> {
  const args = [...chromiumArgs, ...more]
  return chromium.launchPersistentContext(folder, { executablePath: chromiumPath(), args })
}
