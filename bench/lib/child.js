import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Runs a script of `children/` in a process of its own, on this Node or another; answers what it sends. */
export function inChild(script, settings, { execArgv = [], execPath = process.execPath } = {}) {
  const path = fileURLToPath(new URL(`../children/${script}.js`, import.meta.url))
  return new Promise((resolve, reject) => {
    const child = fork(path, [JSON.stringify(settings)], {
      env: { ...process.env, NODE_ENV: 'production' },
      execPath,
      execArgv: ['--disable-warning=ExpressSidWarning', ...execArgv],
    })
    let sent
    child.on('message', (message) => (sent = message))
    child.on('exit', (code) =>
      sent === undefined ? reject(new Error(`${script} ended with code ${code}`)) : resolve(sent),
    )
  })
}
