// delay.mjs URL DASHBOARD PANEL: reads counts from standard input, one a line, and prints for each the milliseconds until
// the number panel shows it. Whoever writes the rows sends the count when its commit has returned.

import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [base, dashboard, panel] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const page = await browser.newPage();
  await page.goto(`${base}/#/dashboards/${dashboard}`);
  await page.waitForFunction((title) => [...document.querySelectorAll('.panel')].some((one) => one.querySelector('h2')?.textContent === title && one.querySelector('.big')), panel);
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const began = performance.now();
    await page.waitForFunction(
      ([title, text]) => [...document.querySelectorAll('.panel')].some((one) => one.querySelector('h2')?.textContent === title && one.querySelector('.big')?.textContent?.trim() === text),
      [panel, line.trim()],
      { timeout: 20000, polling: 'raf' },
    );
    console.log((performance.now() - began).toFixed(1));
  }
} finally {
  await browser.close();
}
