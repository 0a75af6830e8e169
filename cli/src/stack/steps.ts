import type { StepEvent } from '@stark-o/local';
import type { Progress } from '../base/progress.js';

/** Shows the steps of a start as they come. */
export function showSteps(progress: Progress): (event: StepEvent) => void {
  return ({ step, state, ms, detail }) => {
    const why = detail === undefined ? '' : `: ${detail}`;
    // In a log file the line of its end is enough.
    if (state === 'running') {
      if (progress.animated) progress.now(step);
    } else if (state === 'retrying') progress.now(`${step}, again${why}`);
    else if (state === 'done') progress.done(`${step} (${ms} ms)`);
    // What failed and why is the error itself, said once.
    else progress.failed(step);
  };
}
