import { startApp, type App } from '../support/app-process.js'
import { tally } from '../support/history.js'
import { needs } from '../support/needs.js'
import { startCluster, type RedisCluster } from '../support/redis-cluster.js'
import { eventually } from '../support/redis-servers.js'
import { widely } from '../support/wide.js'
import { STORE_TIMEOUT, underFault, type Report } from '../support/trouble.js'
import type { Workload } from '../support/workload.js'

needs('redis-server')('while a Redis primary dies with writes that its replica has not got', () => {
  let cluster: RedisCluster
  let app: App
  let reports: Report[]
  const all = ['redis-cluster', 'ioredis-cluster', 'redis-cluster+wait', 'ioredis-cluster+wait']
  const stores = widely(all, (kind) => kind.startsWith('redis'))
  const waits = (kind: string) => kind.endsWith('+wait')
  const without = <T>(given: readonly T[]) => given.filter((_, index) => !waits(stores[index]!))

  beforeAll(async () => {
    cluster = await startCluster(1_000)
    const STORE = stores.map((kind) => `${kind}:${kind}:@${cluster.primaries[1]!.url}`).join(' ')
    const env = { STORE, STORE_TIMEOUT: String(STORE_TIMEOUT) }
    app = await startApp('__tests__/support/app-server.ts', env)
    reports = await underFault(
      stores.map((_, index) => `${app.url}/${index}`),
      failOver,
    )
  }, 90_000)

  afterAll(async () => {
    await app?.stop()
    await cluster?.remove()
  })

  /** The primary answers for a while without its replica, as it does when the network between them fails, and dies. */
  async function failOver(loads: readonly Workload[]): Promise<void> {
    const [primary, replica] = [cluster.primaries[0]!, cluster.replicas[0]!]
    replica.pause()
    await primary.ask('client', 'kill', 'type', 'replica')
    await Promise.all(without(loads).map((load) => load.haveEach(8)))
    await primary.kill()
    replica.resume()
    await eventually(async () => {
      const isPrimary = String(await replica.ask('info', 'replication')).includes('role:master')
      return isPrimary && String(await replica.ask('cluster', 'info')).includes('cluster_state:ok')
    })
    // Without a second replica, wait refuses logins until there is one again: the old primary, which follows now.
    await primary.restart()
  }

  // That all works again is what `underFault` waits for.
  test('no response is wrong or late, and all works again without a restart of the app', () => {
    for (const { wrong, late, during } of reports) {
      expect([wrong, late]).toEqual([[], []])
      // Which operation meets the dead primary is chance; that some do, and are refused, is not.
      expect([...during].filter((seen) => seen.endsWith(' failed'))).not.toEqual([])
    }
    expect(app.process.exitCode).toBeNull()
  })

  test('with wait, no acknowledged login, logout or revocation is undone', () => {
    for (const { violations } of reports.filter((_, index) => waits(stores[index]!))) {
      expect(tally(violations)).not.toHaveProperty('revived')
      expect(tally(violations)).not.toHaveProperty('login lost')
    }
  })

  test('without wait, what only the dead primary had is lost, and the checker says so', () => {
    const lost = reports.map(
      ({ violations }, index) => `${stores[index]!} ${JSON.stringify(tally(violations))}`,
    )
    process.stdout.write(`\nlost at the failover of a Redis Cluster: ${lost.join(', ')}\n`)
    expect(without(reports).flatMap(({ violations }) => violations)).not.toEqual([])
  })
})
