import type { Request } from 'express'
import { accountOf } from '../accounts.js'
import { icon } from './icons.js'
import { layout } from './layout.js'
import { type Html, markup } from './markup.js'

/** The shortest password that is taken. NIST SP 800-63B-4 §3.1.1.2 wants 15 where it is the only factor. */
export const SHORTEST = 15

interface Shown {
  readonly name?: string
  readonly email?: string
  readonly problem?: string | undefined
}

/** What a stranger sees. */
export function welcomePage(req: Request): Html {
  const body = markup`<section class="hero">
<h1>A notebook that is yours, on every device</h1>
<p class="lead">A small website with accounts. Everything about its sessions is done by <b>express-sid</b>.</p>
<p class="row"><a class="button" href="/sign-up">Sign up</a><a class="button second" href="/sign-in">Sign in</a></p>
</section>
<ul class="reasons">
<li>${icon('devices')}<h2>See where you are signed in</h2><p>And sign out there. It takes effect at once, also on open pages.</p></li>
<li>${icon('pulse')}<h2>Know what happened</h2><p>Each sign-in, wrong password and change, with time and device.</p></li>
<li>${icon('shield')}<h2>Hard to steal</h2><p>Passwords by argon2id, cookies that no script can read, guesses that are counted.</p></li>
</ul>`
  return layout(req, { title: 'Welcome', body })
}

export function signInPage(req: Request, { email = '', problem }: Shown = {}): Html {
  const body = markup`<h1>Sign in</h1>
${alert(problem)}
<form class="card" method="post">
<label>Email <input name="email" type="email" autocomplete="username" value="${email}" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<label class="check"><input name="remember" type="checkbox" value="yes"> Remember me on this device</label>
<button class="button">Sign in</button>
</form>
<p class="after">New here? <a href="/sign-up">Sign up</a></p>`
  return layout(req, { title: 'Sign in', body, isForm: true })
}

/** Asks a user again who they are, before something that matters. */
export function confirmPage(req: Request, problem?: string): Html {
  const { email } = accountOf(req)
  const body = markup`<h1>Is it you?</h1>
<p class="lead">Please confirm your password to go on.</p>
${alert(problem)}
<form class="card" method="post">
<input type="hidden" autocomplete="username" value="${email}">
<label>Password <input name="password" type="password" autocomplete="current-password" required autofocus></label>
<button class="button">Confirm</button>
</form>
<p class="after"><a href="/">Back</a></p>`
  return layout(req, { title: 'Is it you?', body, isForm: true })
}

export function signUpPage(req: Request, { name = '', email = '', problem }: Shown = {}): Html {
  const body = markup`<h1>Sign up</h1>
${alert(problem)}
<form class="card" method="post">
<label>Name <input name="name" autocomplete="name" maxlength="60" value="${name}" required autofocus></label>
<label>Email <input name="email" type="email" autocomplete="username" maxlength="200" value="${email}" required></label>
<label>Password <input name="password" type="password" autocomplete="new-password" minlength="${SHORTEST}" maxlength="200" required aria-describedby="rule"></label>
<p id="rule" class="hint">At least ${SHORTEST} characters. A few words in a row are good.</p>
<button class="button">Sign up</button>
</form>
<p class="after">You have an account? <a href="/sign-in">Sign in</a></p>`
  return layout(req, { title: 'Sign up', body, isForm: true })
}

/** In place of a form, once there were too many guesses. */
export function tooManyPage(req: Request, seconds: number): Html {
  const minutes = Math.ceil(seconds / 60)
  const body = markup`<h1>Too many attempts</h1>
<p class="lead">Please try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.</p>`
  return layout(req, { title: 'Too many attempts', body, isForm: true })
}

/** A refusal or an error, in words for visitors. */
export function problemPage(req: Request, title: string, text: string): Html {
  const body = markup`<h1>${title}</h1>
<p class="lead">${text}</p>
<p class="row"><a class="button" href="/">Go on</a></p>`
  return layout(req, { title, body, isForm: true })
}

export function alert(problem: string | undefined): Html {
  return markup`${problem !== undefined && markup`<p class="alert" role="alert">${icon('warning')}${problem}</p>`}`
}
