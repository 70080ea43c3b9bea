import java.nio.file.*;
import java.util.*;
import javax.sql.DataSource;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.history.HistoricVariableInstance;
import org.operaton.bpm.engine.impl.cfg.StandaloneProcessEngineConfiguration;

/** Operaton (the continued Camunda 7): history level full, no job executor, no metrics, no telemetry. */
public class Operaton extends Peer {
    private ProcessEngine engine;

    public static void main(String[] given) throws Exception { run(new Operaton(), given); }

    String name() { return "operaton-" + ProcessEngine.class.getPackage().getImplementationVersion(); }

    void open(DataSource pool, Path drawing, Path decision) throws Exception {
        var config = new StandaloneProcessEngineConfiguration();
        config.setDataSource(pool);
        config.setDatabaseSchemaUpdate("true");
        config.setHistory("full");
        config.setJobExecutorActivate(false);
        config.setMetricsEnabled(false);
        config.setTaskMetricsEnabled(false);
        config.setEnforceHistoryTimeToLive(false);
        engine = config.buildProcessEngine();
        engine.getRepositoryService().createDeployment()
            .addString("bench_case.bpmn", Files.readString(drawing))
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
        return engine.getManagementService().createJobQuery().processInstanceId(caseId).singleResult().getId();
    }

    void fire(String timerId) { engine.getManagementService().executeJob(timerId); }

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
