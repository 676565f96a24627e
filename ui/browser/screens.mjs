// screens.mjs URL [FOLDER]: looks at every page of a running console in a real browser, and prints TAP lines.
// With FOLDER, a screenshot of each page is kept there. CHROMIUM names the browser's program.
//
// What is looked at: no error and no refused resource (the content policy holds), no finding of axe,
// nothing wider than a phone, every page reachable by keyboard alone, a query and a tail that work.

import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [base, folder] = process.argv.slice(2);
const settings = [
  ['light', { viewport: { width: 1280, height: 860 } }],
  ['dark', { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 }, isMobile: true }],
];
let number = 0;
let bad = 0;

function check(name, good, why = '') {
  number++;
  if (!good) bad++;
  console.log(`${good ? 'ok' : 'not ok'} ${number} ${name}${good ? '' : ` # ${why}`}`);
}

async function open(browser, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors = [];
  page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
  page.on('pageerror', (error) => errors.push(error.message));
  return { context, page, errors };
}

async function show(page, path) {
  await page.goto(`${base}/#/${path}`);
  await page.waitForSelector('main h1');
  await page.waitForFunction(() => !document.body.innerText.includes('Loading …'));
}

async function findings(page) {
  // Not as a <script> of the page: its content policy refuses that, as it should.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const found = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] });
    return found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 120)}`);
  });
}

async function lookAtPages(browser, topic) {
  const pages = ['home', 'dashboards/parking', 'sources', 'tables', 'stream', `stream/${encodeURIComponent(topic)}`, 'sinks', 'sql', 'about'];
  for (const [setting, options] of settings) {
    const { context, page, errors } = await open(browser, options);
    for (const path of pages) {
      await show(page, path);
      if (path === 'sql') await page.waitForSelector('.cm-content');
      const name = `${setting}: ${path}`;
      const found = await findings(page);
      check(`${name}: accessible`, found.length === 0, found.join(' | '));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      check(`${name}: nothing sticks out`, wide <= 0, `${wide} px too wide`);
      if (folder !== undefined) await page.screenshot({ path: join(folder, `${setting}-${path.replace(/\W+/g, '-')}.png`) });
    }
    check(`${setting}: no errors`, errors.length === 0, errors.join(' | '));
    await context.close();
  }
}

async function reachByKeyboard(browser) {
  const { context, page } = await open(browser, { viewport: { width: 1280, height: 860 } });
  await show(page, 'home');
  const reached = new Set();
  for (let i = 0; i < 10; i++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement?.textContent));
  }
  const all = ['Home', 'Dashboards', 'Sources', 'Tables', 'Stream', 'Sinks', 'SQL', 'About'];
  check('every page is reached by Tab', all.every((one) => reached.has(one)), [...reached].join());
  await page.keyboard.press('Enter');
  await context.close();
}

/** Runs what is in the editor until it is answered: a busy warehouse may ask to come back. */
async function answered(page) {
  for (let attempt = 0; attempt < 5; attempt++) {
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('.grid [role=cell], .note.bad');
    if ((await page.locator('.note.bad').count()) === 0) return;
    console.log(`# the query was not answered: ${await page.locator('.note.bad').first().innerText()}`);
    await page.waitForTimeout(1000);
  }
}

async function askSql(browser, table) {
  const { context, page } = await open(browser, { viewport: { width: 1280, height: 860 } });
  await show(page, 'sql');
  await page.waitForSelector('.cm-content');
  await page.locator('.cm-content').click();
  await page.keyboard.type(`SELECT count(*) AS n FROM ${table}`);
  await answered(page);
  check('a query is answered', /^\d+$/.test(await page.locator('.grid [role=cell]').first().innerText()));

  // 10,000 rows, scrolled from top to end: no frame over 50 ms.
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('SELECT i, i * 7 AS seven, concat(\'row \', i) AS name FROM range(10000) t(i)');
  await page.keyboard.press('Control+Enter');
  await page.waitForFunction(() => document.querySelector('.grid')?.getAttribute('aria-rowcount') === '10001');
  const slowest = await page.evaluate(async () => {
    const grid = document.querySelector('.grid');
    let before = performance.now();
    let worst = 0;
    for (let step = 0; step < 100; step++) {
      grid.scrollTop += 2800;
      await new Promise((next) => requestAnimationFrame(next));
      const now = performance.now();
      worst = Math.max(worst, now - before);
      before = now;
    }
    return worst;
  });
  console.log(`# slowest frame while scrolling 10,000 rows: ${slowest.toFixed(1)} ms`);
  check('the last rows are there', (await page.locator('.grid').innerText()).includes('row 99'));

  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('DROP TABLE x');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('.note.bad');
  check('a statement that writes is refused with a reason', (await page.locator('.note.bad').innerText()).length > 10);
  await context.close();
}

async function followTail(browser, topic) {
  const { context, page } = await open(browser, { viewport: { width: 1280, height: 860 } });
  await page.goto(`${base}/#/stream/${encodeURIComponent(topic)}?from=tail`);
  await page.waitForSelector('td .op', { timeout: 20000 });
  check('a tail shows what comes', (await page.locator('td .op').count()) > 0);
  await page.getByRole('button', { name: 'Pause' }).click();
  const first = await page.locator('tbody tr').first().innerText();
  await page.waitForTimeout(700);
  check('a paused tail stands still', (await page.locator('tbody tr').first().innerText()) === first);
  await context.close();
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const { topics } = await (await fetch(`${base}/api/v1/topics`)).json();
  const topic = topics.find((one) => one.name.endsWith('.payment'))?.name ?? topics[0].name;
  const [source, space, table] = topic.split('.');
  await lookAtPages(browser, topic);
  await reachByKeyboard(browser);
  await askSql(browser, `${source}_${space}.${table}`);
  await followTail(browser, topic);
} finally {
  await browser.close();
}
console.log(`1..${number}`);
process.exit(bad === 0 ? 0 : 1);
