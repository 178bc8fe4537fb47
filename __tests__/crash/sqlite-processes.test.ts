import Libsql from 'libsql'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sqliteStore } from 'express-sid/sqlite'
import { makeRecord } from 'express-sid/testing'
import { scratchFolder } from '../support/scratch.js'

const file = scratchFolder()
const children: ChildProcess[] = []
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')))

/** Starts `sqlite-writer.ts`; `lines` grows as it prints, `saidSo(n)` resolves when there are so many. */
function startWriter(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'sqlite-writer.ts'), ...args], {
    cwd: join(__dirname, '../..'),
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const lines: string[] = []
  const output = createInterface(child.stdout).on('line', (line) => lines.push(line))
  const ended = Promise.all([once(child, 'exit'), once(output, 'close')])
  const saidSo = async (count: number) => {
    while (lines.length < count) await Promise.race([once(output, 'line'), ended.then(failEarly)])
  }
  return { child, lines, ended, saidSo }
}

function failEarly(): never {
  throw new Error('the writer ended by itself')
}

test('opening waits for a process that holds the file for longer than a request may wait', async () => {
  const path = file('held.db')
  const holder = startWriter(path, 'hold', '600')
  await holder.saidSo(1)
  const store = sqliteStore(new Libsql(path))
  const record = makeRecord()
  store.insert(record)
  expect(store.get(record.id)).toEqual(record)
  await holder.ended
}, 20_000)

test('kill -9 of two writers loses no session that they were told is kept, and revives none that has ended', async () => {
  const path = file('killed.db')
  // One dies between two writes, where all that it was told must be on disk, the other one wherever it is.
  const [between, anywhere] = [startWriter(path, 'die', '251'), startWriter(path)]
  await between.ended
  await anywhere.saidSo(300)
  anywhere.child.kill('SIGKILL')
  await anywhere.ended

  const said = [...between.lines, ...anywhere.lines].map((line) => line.split(' '))
  const ids = (word: string) => said.filter(([what]) => what === word).map(([, id = '']) => id)
  const deleting = new Set(ids('deleting'))
  const kept = ids('inserted').filter((id) => !deleting.has(id))
  const store = sqliteStore(new Libsql(path))
  expect(kept.length).toBeGreaterThan(100)
  expect(kept.filter((id) => store.get(id) === undefined)).toEqual([])
  expect(ids('deleted').length).toBeGreaterThan(100)
  expect(ids('deleted').filter((id) => store.get(id) !== undefined)).toEqual([])
}, 30_000)
