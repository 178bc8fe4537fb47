// Several processes behind one port, one store: a login on one is a login on all, a logout on one ends all.
// `npm run demo:cluster` uses Redis where it answers on its standard port; STORE=postgres uses Postgres.
import cluster from 'node:cluster'
import { openStore } from './store.js'
import { startWorker } from './worker.js'

const port = Number(process.env.PORT ?? 8000)
const workers = Number(process.env.WORKERS ?? 4)

if (cluster.isPrimary) await startAll()
else await startWorker(port)

async function startAll(): Promise<void> {
  // Opened here once as well, so that a store that is not there is said once and not by each worker.
  const opened = await openStore().catch(explain)
  await opened.close()
  for (let count = 0; count < workers; count += 1) cluster.fork()
  const serving = new Set<number>()
  let started = 0
  cluster.on('listening', (worker, address) => {
    serving.add(worker.id)
    started += 1
    if (started === workers) announce(opened.name, address.port)
  })
  cluster.on('exit', (worker) => {
    if (worker.exitedAfterDisconnect) return
    // One that served is replaced. One that never did would only fail again.
    if (serving.delete(worker.id)) cluster.fork()
    else giveUp()
  })
  // The processes end with the one that started them.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0))
}

function giveUp(): never {
  console.error(
    `A process ended before it listened on port ${port}. If the port is taken, set PORT to another.`,
  )
  process.exit(1)
}

function announce(store: string, listensOn: number): void {
  console.log(`express-sid on ${workers} processes and ${store}: http://localhost:${listensOn}

  1. Log in. Reload: each answer names the process that gave it, and all know you.
  2. Open a second browser, log in there too, and see both in the list.
  3. Log one out from the other, and reload: no process lets it in.
  4. Kill a process (its pid is on the page): the others go on, and nobody is logged out.
`)
}

function explain(error: unknown): never {
  const name = process.env.STORE === 'postgres' ? 'PostgreSQL' : 'Redis'
  console.error(
    `The cluster demo needs ${name}, and it does not answer: ${error instanceof Error ? error.message : String(error)}\n` +
      `Install it (apt-get install ${name === 'Redis' ? 'redis' : 'postgresql'}), or say where it is with ` +
      `${name === 'Redis' ? 'REDIS_URL' : 'POSTGRES_URL'}.`,
  )
  process.exit(1)
}
