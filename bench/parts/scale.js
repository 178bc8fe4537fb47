import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUILD } from '../contenders.js'
import { inChild } from '../lib/child.js'
import { say } from '../lib/say.js'

/** Filling a file with ten million sessions takes an hour. */
const MAX_IN_SQLITE = 1_000_000

/** How the stores that live in the process behave as they grow; a process of its own for each size. */
export async function scale({ sizes }) {
  const results = []
  for (const size of sizes) {
    say(`scale: ${size.toLocaleString('en')} sessions in memory`)
    const map = await run({ store: 'plainMap', size })
    results.push({ store: 'memory', size, map, ...(await run({ store: 'memory', size })) })
    if (size > MAX_IN_SQLITE) continue
    say(`scale: ${size.toLocaleString('en')} sessions in SQLite`)
    results.push({ store: 'sqlite', size, ...(await sqlite(size)) })
  }
  return results
}

async function sqlite(size) {
  const folder = mkdtempSync(join(tmpdir(), 'express-sid-bench-'))
  const settings = { store: 'sqlite', size, file: join(folder, 'sessions.sqlite') }
  try {
    const filled = await run(settings)
    return { ...filled, ...(await run(settings)) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const run = (settings) =>
  inChild('scale', { build: BUILD, ...settings }, { execArgv: ['--expose-gc', '--max-old-space-size=18000'] })
