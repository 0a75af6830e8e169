import v8 from 'node:v8';

export default () => {
  process.env.NODE_V8_COVERAGE = '/tmp';
  v8.takeCoverage();
  v8.setHeapSnapshotNearHeapLimit(1);
};
