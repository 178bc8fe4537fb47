import { randomBytes } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, freePort, RedisServer } from './redis-servers.js'

export interface RedisCluster {
  /** Each has a third of the slots, in order. */
  readonly primaries: readonly RedisServer[]
  /** `replicas[n]` follows `primaries[n]`. */
  readonly replicas: readonly RedisServer[]
  /** The ids of the primaries in the cluster. */
  readonly ids: readonly string[]
  /** Ends all of them at once, as a power cut does. */
  kill(): Promise<void>
  /** Starts them again with what they have on disk, and waits until the cluster is whole. */
  restart(): Promise<void>
  remove(): Promise<void>
}

/**
 * Three primaries with a replica each. They find themselves configured, which is faster than meeting.
 *
 * @param nodeTimeout After so many milliseconds of silence a primary is replaced by its replica.
 * @param args For each redis-server: `['--appendonly', 'yes']`.
 */
export async function startCluster(nodeTimeout = 5_000, args: readonly string[] = []): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: 6 }, (_, index) => prepareNode(index)))
  const servers = await Promise.all(nodes.map((node) => startNode(node, nodes, nodeTimeout, args)))
  await Promise.all(servers.map(isInCluster))
  return {
    primaries: servers.slice(0, 3),
    replicas: servers.slice(3),
    ids: nodes.slice(0, 3).map(({ id }) => id),
    kill: async () => void (await Promise.all(servers.map((server) => server.kill()))),
    async restart() {
      await Promise.all(servers.map((server) => server.restart()))
      await Promise.all(servers.map(isInCluster))
    },
    remove: async () => void (await Promise.all(servers.map((server) => server.remove()))),
  }
}

/** Nodes 0 to 2 are the primaries, node n + 3 is the replica of node n. */
interface Node {
  readonly index: number
  readonly id: string
  readonly dir: string
  readonly port: number
  readonly bus: number
}

async function prepareNode(index: number): Promise<Node> {
  const dir = await mkdtemp(join(tmpdir(), 'express-sid-cluster-'))
  return { index, dir, id: randomBytes(20).toString('hex'), port: await freePort(), bus: await freePort() }
}

async function startNode(
  node: Node,
  all: readonly Node[],
  nodeTimeout: number,
  more: readonly string[],
): Promise<RedisServer> {
  const lines = all.map((other) => nodeLine(other, other === node, all))
  await writeFile(
    join(node.dir, 'nodes.conf'),
    [...lines, 'vars currentEpoch 3 lastVoteEpoch 0', ''].join('\n'),
  )
  const config = { enabled: 'yes', port: String(node.bus), 'node-timeout': String(nodeTimeout) }
  const args = Object.entries(config).flatMap(([name, value]) => [`--cluster-${name}`, value])
  return RedisServer.startIn(node.dir, node.port, [...args, ...more, '--repl-diskless-sync-delay', '0'])
}

/** https://redis.io/docs/latest/commands/cluster-nodes/ */
function nodeLine(node: Node, isSelf: boolean, all: readonly Node[]): string {
  const { index, id, port, bus } = node
  const slots = ['0-5460', '5461-10922', '10923-16383'][index]
  const role = slots === undefined ? `slave ${all[index - 3]!.id}` : 'master -'
  const flags = `${isSelf ? 'myself,' : ''}${role}`
  return `${id} 127.0.0.1:${port}@${bus} ${flags} 0 0 ${(index % 3) + 1} connected ${slots ?? ''}`.trimEnd()
}

async function isInCluster(server: RedisServer): Promise<void> {
  await eventually(async () => {
    const cluster = String(await server.ask('cluster', 'info'))
    const replication = String(await server.ask('info', 'replication'))
    return cluster.includes('cluster_state:ok') && /link_status:up|connected_slaves:1/.test(replication)
  })
}
