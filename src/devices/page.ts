import type { Request, Response } from 'express'
import type { Device } from './device.js'
import { Html, markup } from './markup.js'
import { iconOf } from './icons.js'
import type { DeviceSettings } from './options.js'
import { belowPage } from './relative.js'
import { style, styleHash } from './style.js'
import type { AllTexts } from './texts.js'
import { inWords } from './time.js'

/** How many devices the page shows. Nobody reads on, and a page for a thousand sessions would be a megabyte. */
const MOST = 100

/** Sends the page: no script, nothing from elsewhere, in nobody's frame and in no cache. */
export function sendPage(
  req: Request,
  res: Response,
  devices: readonly Device[],
  settings: DeviceSettings,
): void {
  const { stylesheet } = settings
  const styles = `'sha256-${styleHash}'${stylesheet === undefined ? '' : " 'self'"}`
  res.set({
    'Content-Security-Policy':
      `default-src 'none'; style-src ${styles}; form-action 'self'; ` +
      `frame-ancestors 'none'; base-uri 'none'`,
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
  })
  res.type('html').send(pageOf(req, devices, settings, settings.texts(req)).text)
}

function pageOf(req: Request, devices: readonly Device[], settings: DeviceSettings, texts: AllTexts): Html {
  const { stylesheet, back } = settings
  const below = belowPage(req)
  const said = saidOf(req.query.done, texts)
  const others = devices.filter(({ current }) => !current)
  const shown = [...devices.filter(({ current }) => current), ...others].slice(0, MOST)
  return markup`<!doctype html>
<html lang="${texts.lang}" dir="${texts.dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${texts.title}</title>
<style>${new Html(style)}</style>
${stylesheet !== undefined && markup`<link rel="stylesheet" href="${stylesheet}">`}
</head>
<body>
<main>
${back !== undefined && markup`<nav><a href="${back}">${texts.back}</a></nav>`}
<h1>${texts.title}</h1>
<p class="lead">${texts.lead}</p>
${said !== undefined && markup`<p class="said" role="status">${said}</p>`}
<ul>
${shown.map((device) => itemOf(device, below, texts))}</ul>
${devices.length > MOST && markup`<p>${texts.more.replace('{count}', String(devices.length - MOST))}</p>`}
<div class="all">
${others.length > 0 && button(`${below}end-others`, texts.endOthers, 'main')}
${button(`${below}end-all`, texts.endAll)}
</div>
</main>
</body>
</html>
`
}

/** What was done by the form that led here. A link can say it too, and does no more harm than any other wrong text. */
function saidOf(done: unknown, texts: AllTexts): string | undefined {
  if (done === 'one') return texts.endedOne
  return done === 'others' ? texts.endedOthers : undefined
}

function itemOf(device: Device, below: string, texts: AllTexts): Html {
  const { id, label, current, isBound, isActing, network, place, lastSeenAt, authenticatedAt, methods } =
    device
  const where = [place, network].filter((part) => part !== '').join(' · ')
  const ways = methods.map((method) => texts.methods[method] ?? method).join(', ')
  return markup`<li${current && markup` class="current"`}>
${iconOf(label)}
<div class="what">
<h2 id="name-${id}">${label}</h2>
${current && markup`<b class="mark">${texts.current}</b>`}
${isActing && markup`<b class="mark">${texts.acting}</b>`}
${isBound && markup`<b class="mark">${texts.bound}</b>`}
<p id="about-${id}">${where || texts.unknownNetwork}<br>
${timed(texts.lastSeen, lastSeenAt, texts)} · ${timed(texts.signedIn, authenticatedAt, texts)}${ways !== '' && ` ${texts.by} ${ways}`}</p>
</div>
${button(`${below}${id}/end`, texts.end, undefined, id)}
</li>
`
}

/** @param of the device that the button belongs to: what is read out names it after the text. */
function button(action: string, text: string, kind?: string, of?: string): Html {
  const names =
    of !== undefined &&
    markup` id="end-${of}" aria-labelledby="end-${of} name-${of}" aria-describedby="about-${of}"`
  const looks = kind !== undefined && markup` class="${kind}"`
  return markup`<form method="post" action="${action}"><button${looks}${names}>${text}</button></form>`
}

/** A sentence with a time in it. In words it holds in every time zone; the exact one is in its title. */
function timed(sentence: string, time: number, { lang, justNow }: AllTexts): Html {
  const [before = '', after = ''] = sentence.split('{time}')
  const exact = new Date(time).toISOString()
  const title = `${exact.slice(0, 16).replace('T', ' ')} UTC`
  return markup`${before}<time datetime="${exact}" title="${title}">${inWords(time, lang) ?? justNow}</time>${after}`
}
