import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const file = (name) => new URL(`../results/${name}.json`, import.meta.url)

/** The last result of each part, as JSON under bench/results. */
export function keep(name, result) {
  mkdirSync(new URL('../results/', import.meta.url), { recursive: true })
  writeFileSync(file(name), `${JSON.stringify(result, null, 1)}\n`)
}

export function lastResult(name) {
  return existsSync(file(name)) ? JSON.parse(readFileSync(file(name), 'utf8')) : undefined
}
