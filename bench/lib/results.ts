import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Machine } from './machine.js'

/** What a part has measured, and where. */
export interface Kept {
  readonly machine: Machine
  readonly isQuick: boolean
  readonly result: unknown
}

const file = (name: string) => new URL(`../../results/${name}.json`, import.meta.url)

/** The last result of each part, as JSON under bench/results. */
export function keep(name: string, kept: Kept): void {
  mkdirSync(file('.'), { recursive: true })
  writeFileSync(file(name), `${JSON.stringify(kept, null, 1)}\n`)
}

export function lastResult(name: string): Kept | undefined {
  return existsSync(file(name)) ? JSON.parse(readFileSync(file(name), 'utf8')) : undefined
}
