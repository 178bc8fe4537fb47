import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import type { Node } from './nodes.js'
import type { Servers } from './servers.js'

/** Where and on what a figure was made. */
export type Machine = ReturnType<typeof machine>

export function machine(servers: Servers, nodes: readonly Node[]) {
  return {
    at: new Date().toISOString(),
    nodes: nodes.map(({ version }) => version),
    system: `${type()} ${release()}`,
    cpu: cpus()[0]?.model.trim(),
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    loadBefore: loadavg()[0]!,
    servers,
    packages: installed(),
  }
}

export function machineText(on: Machine): string {
  return (
    `Measured ${on.at.slice(0, 16).replace('T', ' ')} UTC on ${on.cores} cores of ${on.cpu}, ${on.memoryGb} GB, ` +
    `${on.system}, Node ${on.nodes.join(', ')}, ${on.servers.redis}, ${on.servers.postgres}; ` +
    `load average before: ${on.loadBefore.toFixed(2)}.`
  )
}

/** The versions that are compared. */
function installed(): string[] {
  const { dependencies } = read('package.json')
  return Object.keys(dependencies)
    .filter((name) => !/^node\d+$/.test(name))
    .map((name) => `${name} ${read(`node_modules/${name}/package.json`).version}`)
}

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))
