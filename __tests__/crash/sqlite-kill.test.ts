import { setTimeout as pause } from 'node:timers/promises'
import { startApp } from '../support/app-process.js'
import { violations } from '../support/history.js'
import { scratchFolder } from '../support/scratch.js'
import { Workload } from '../support/workload.js'

const file = scratchFolder()

test('kill -9 under load loses no acknowledged login, undoes no acknowledged logout, loses no count', async () => {
  const env = { STORE: `sqlite:${file('sessions.sqlite')}` }
  let app = await startApp('__tests__/support/app-server.ts', env)
  const fixed = { ...env, PORT: String(app.port) }
  const load = new Workload([`${app.url}/0`])
  const running = load.run(12)
  for (let kills = 0; kills < 3; kills += 1) {
    await load.haveEach(10)
    await pause(Math.random() * 200)
    await app.stop('SIGKILL')
    app = await startApp('__tests__/support/app-server.ts', fixed)
  }
  await load.haveEach(10)
  load.stop()
  await running
  await load.readAll()
  await app.stop('SIGKILL')
  app = await startApp('__tests__/support/app-server.ts', fixed)
  await load.readAll()
  await app.stop()

  expect(load.history.some(({ result }) => result === 'unanswered')).toBe(true)
  expect(load.wrong).toEqual([])
  expect(violations(load.history)).toEqual([])
}, 60_000)
