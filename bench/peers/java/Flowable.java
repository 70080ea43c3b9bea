import java.nio.file.*;
import java.util.*;
import javax.sql.DataSource;
import org.flowable.common.engine.impl.history.HistoryLevel;
import org.flowable.dmn.engine.configurator.DmnEngineConfigurator;
import org.flowable.engine.ProcessEngine;
import org.flowable.engine.impl.cfg.StandaloneProcessEngineConfiguration;
import org.flowable.variable.api.history.HistoricVariableInstance;

/** Flowable 7: history level full, no asynchronous executor, its own DMN engine. */
public class Flowable extends Peer {
    private ProcessEngine engine;

    public static void main(String[] given) throws Exception { run(new Flowable(), given); }

    String name() { return "flowable-" + ProcessEngine.VERSION.replaceAll("^(\\d+\\.\\d+\\.\\d+).*", "$1"); }

    void open(DataSource pool, Path drawing, Path decision) throws Exception {
        var config = new StandaloneProcessEngineConfiguration();
        config.setDataSource(pool);
        config.setDatabaseSchemaUpdate("true");
        config.setHistoryLevel(HistoryLevel.FULL);
        config.setAsyncExecutorActivate(false);
        config.addConfigurator(new DmnEngineConfigurator());
        engine = config.buildProcessEngine();
        engine.getRepositoryService().createDeployment()
            .addString("bench_case.bpmn20.xml", Files.readString(drawing))
            .addString("bench_score.dmn", Files.readString(decision)).deploy();
    }

    String start() { return engine.getRuntimeService().startProcessInstanceByKey("bench_case").getId(); }

    String findTask(String caseId, String key) {
        return engine.getTaskService().createTaskQuery().processInstanceId(caseId).taskDefinitionKey(key)
            .singleResult().getId();
    }

    void claim(String taskId, String person) { engine.getTaskService().claim(taskId, person); }

    void complete(String taskId, Map<String, Object> values) { engine.getTaskService().complete(taskId, values); }

    String findTimer(String caseId) {
        return engine.getManagementService().createTimerJobQuery().processInstanceId(caseId).singleResult().getId();
    }

    void fire(String timerId) {
        engine.getManagementService().moveTimerToExecutableJob(timerId);
        engine.getManagementService().executeJob(timerId);
    }

    int timeline(String id) {
        var history = engine.getHistoryService();
        return history.createHistoricActivityInstanceQuery().processInstanceId(id).list().size()
            + history.createHistoricTaskInstanceQuery().processInstanceId(id).list().size()
            + history.createHistoricVariableInstanceQuery().processInstanceId(id).list().size()
            + history.createHistoricDetailQuery().processInstanceId(id).list().size();
    }

    long[] found(Set<String> ids) {
        var history = engine.getHistoryService();
        long over = 0, done = 0, score = 0;
        for (String id : ids) {
            over += history.createHistoricProcessInstanceQuery().processInstanceId(id).finished().count();
            done += history.createHistoricTaskInstanceQuery().processInstanceId(id).finished().count();
            HistoricVariableInstance given = history.createHistoricVariableInstanceQuery()
                .processInstanceId(id).variableName("score").singleResult();
            score += given == null ? 0 : ((Number) given.getValue()).longValue();
        }
        return new long[] {over, done, score};
    }
}
