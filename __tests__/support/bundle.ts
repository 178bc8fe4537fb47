import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '../..')
const folder = join(root, '.tmp/bundles')
const made = new Map<string, string>()

/**
 * A TypeScript file and all that it imports from here as one file of JavaScript: a process starts with it in a fifth of
 * the time that it needs through tsx. Called by its content, so that test files that run at once share it.
 */
export function bundled(file: string): string {
  const known = made.get(file)
  if (known !== undefined) return known
  const words = ['--bundle', '--platform=node', '--format=esm', '--packages=external', '--log-level=error']
  const text = execFileSync(join(root, 'node_modules/esbuild/bin/esbuild'), [file, ...words], {
    cwd: root,
    maxBuffer: 50_000_000,
  })
  const path = join(folder, `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.mjs`)
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const unfinished = `${path}.${process.pid}`
    writeFileSync(unfinished, text)
    renameSync(unfinished, path)
  }
  made.set(file, path)
  return path
}
