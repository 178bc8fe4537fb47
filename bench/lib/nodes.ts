import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A version of Node that servers run on. It is installed from npm; bench/package.json says which one exactly. */
export interface Node {
  readonly major: number
  readonly path: string
  readonly version: string
}

/** The headline runs on this one. */
export const NEWEST = 26

/** The Nodes of a list such as `20,22,24`. */
export function nodesOf(list: string): Node[] {
  return list.split(',').map((text) => nodeOf(Number(text)))
}

export function nodeOf(major: number): Node {
  const path = fileURLToPath(new URL(`../../node_modules/node${major}/bin/node`, import.meta.url))
  if (!existsSync(path)) throw new Error(`--node takes 20, 22, 24 and 26, separated by commas; not ${major}.`)
  return { major, path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim() }
}
