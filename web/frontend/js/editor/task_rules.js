// Our lint rules: how long a user task may take, which clause it stands on.

const extension = (task, type) => task.extensionElements?.values?.find((one) => one.$type === type);
const property = (task, name) => extension(task, 'zeebe:Properties')?.properties?.find((one) => one.name === name)?.value;

const forUserTasks = (find) => () => ({
  check(node, reporter) {
    if (node.$type !== 'bpmn:UserTask') return;
    const message = find(node);
    if (message) reporter.report(node.id, message);
  },
});

export const taskDeadline = forUserTasks((task) => (extension(task, 'tidu:Deadline')?.workingDays ? null : 'User task has no deadline'));

export const taskClause = forUserTasks((task) => (property(task, 'clause') ? null : 'User task names no clause it stands on'));
