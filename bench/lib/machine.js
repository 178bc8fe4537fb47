import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

/** Where and on what a figure was made. */
export function machine(servers) {
  return {
    at: new Date().toISOString(),
    node: process.version,
    v8: process.versions.v8,
    system: `${type()} ${release()}`,
    cpu: cpus()[0]?.model.trim(),
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    loadBefore: loadavg()[0],
    servers,
    packages: installed(),
  }
}

/** The versions that were compared. */
function installed() {
  const { dependencies } = read('../package.json')
  return Object.keys(dependencies).map(
    (name) => `${name} ${read(`../node_modules/${name}/package.json`).version}`,
  )
}

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
