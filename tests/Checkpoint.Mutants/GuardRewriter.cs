using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ApolloCheckpoint.Mutants;

/// <summary>
/// Finds the guards of a file, and gives each a switch:
/// <code>
/// if (a || b) throw …;       or return null, false, -1      →  if ((a) &amp;&amp; On(1) || (b) &amp;&amp; On(2)) throw …;
/// a &amp;&amp; b ? value : throw …    or, returned, null or false   →  ((a) || Off(3)) &amp;&amp; ((b) || Off(4)) ? value : throw …
/// bool M() => a == b &amp;&amp; c;   equalities only              →  bool M() => ((a == b) || Off(5)) &amp;&amp; c;
/// </code>
/// On and Off note that the guard refuses; they answer as if it did not when it is the one that is removed. A guard whose pattern names
/// the value that the code goes on with (<c>is not { } x</c>) cannot be removed: without it there is nothing to go on with.
/// </summary>
/// <param name="file">The file, from the engine's folder.</param>
/// <param name="first">Number of its first guard.</param>
/// <param name="throwsOnly">Whether only what throws is a guard: an encoder that says null or false has found no shorter way.</param>
internal sealed partial class GuardRewriter(string file, int first, bool throwsOnly) : CSharpSyntaxRewriter
{
    private const string Switch = "global::ApolloCheckpoint.Engine.Guarded";
    private readonly List<Guard> guards = [];

    /// <summary>What was found.</summary>
    internal IReadOnlyList<Guard> Guards => guards;

    public override SyntaxNode? VisitIfStatement(IfStatementSyntax node)
    {
        ExpressionSyntax condition =
            node.Else is null && Refuses(Last(node.Statement)) ? Refusing(node.Condition, node.Statement) : node.Condition;
        return condition == node.Condition
            ? base.VisitIfStatement(node)
            : node.WithCondition(condition).WithStatement((StatementSyntax)Visit(node.Statement));
    }

    public override SyntaxNode? VisitConditionalExpression(ConditionalExpressionSyntax node)
    {
        bool isAnswer = node.Parent is ReturnStatementSyntax or ArrowExpressionClauseSyntax;
        ExpressionSyntax condition =
            Fails(node.WhenFalse, isAnswer) ? Passing(node.Condition, _ => true)
            : Fails(node.WhenTrue, isAnswer) ? Refusing(node.Condition, node.WhenTrue)
            : node.Condition;
        return condition == node.Condition
            ? base.VisitConditionalExpression(node)
            : node.WithCondition(condition)
                .WithWhenTrue((ExpressionSyntax)Visit(node.WhenTrue))
                .WithWhenFalse((ExpressionSyntax)Visit(node.WhenFalse));
    }

    public override SyntaxNode? VisitArrowExpressionClause(ArrowExpressionClauseSyntax node) =>
        !throwsOnly && IsBool(node.Parent) ? node.WithExpression(Answer(node.Expression)) : base.VisitArrowExpressionClause(node);

    public override SyntaxNode? VisitReturnStatement(ReturnStatementSyntax node) =>
        !throwsOnly && node.Expression is { } answer && IsBool(node.FirstAncestorOrSelf<SyntaxNode>(IsFunction))
            ? node.WithExpression(Answer(answer))
            : base.VisitReturnStatement(node);

    private ExpressionSyntax Answer(ExpressionSyntax answer)
    {
        ExpressionSyntax passing = Passing(answer, IsEquality);
        return passing == answer ? (ExpressionSyntax)Visit(answer) : passing;
    }

    /// <summary>True refuses: each alternative can be switched off.</summary>
    private ExpressionSyntax Refusing(ExpressionSyntax condition, SyntaxNode consequence) =>
        Split(condition, SyntaxKind.LogicalOrExpression, part => Switched(part, "&&", "On", consequence));

    /// <summary>True passes: each demand can be switched off.</summary>
    private ExpressionSyntax Passing(ExpressionSyntax condition, Func<ExpressionSyntax, bool> isGuard) =>
        Split(condition, SyntaxKind.LogicalAndExpression, part => isGuard(part) ? Switched(part, "||", "Off", null) : part);

    private static ExpressionSyntax Split(ExpressionSyntax whole, SyntaxKind kind, Func<ExpressionSyntax, ExpressionSyntax> change)
    {
        if (whole is not BinaryExpressionSyntax pair || !pair.IsKind(kind))
        {
            return change(whole);
        }

        (ExpressionSyntax left, ExpressionSyntax right) = (Split(pair.Left, kind, change), Split(pair.Right, kind, change));
        return (left, right) == (pair.Left, pair.Right) ? whole : pair.Update(left, pair.OperatorToken, right);
    }

    private ExpressionSyntax Switched(ExpressionSyntax part, string join, string ask, SyntaxNode? consequence)
    {
        if (NamesWhatFollows(part, consequence))
        {
            return part;
        }

        string text = Spaces().Replace(part.ToString(), " ");
        string member = Member(part);
        int same = guards.Count(guard =>
            guard.Member == member && (guard.Condition == text || guard.Condition.StartsWith($"{text} #", StringComparison.Ordinal))
        );
        guards.Add(new Guard(first + guards.Count, file, member, same == 0 ? text : $"{text} #{same + 1}"));
        return SyntaxFactory.ParseExpression($"(({part}) {join} {Switch}.{ask}({guards[^1].Number}))").WithTriviaFrom(part);
    }

    /// <summary>Whether a pattern in it declares a name that is used elsewhere than in itself and in what it leads to.</summary>
    private static bool NamesWhatFollows(ExpressionSyntax part, SyntaxNode? consequence)
    {
        HashSet<string> names =
        [
            .. part.DescendantNodes().OfType<SingleVariableDesignationSyntax>().Where(IsOfPattern).Select(row => row.Identifier.Text),
        ];
        return names.Count > 0
            && (part.FirstAncestorOrSelf<MemberDeclarationSyntax>() ?? throw new InvalidOperationException("a guard outside of a member"))
                .DescendantNodes()
                .OfType<IdentifierNameSyntax>()
                .Any(name => names.Contains(name.Identifier.Text) && !part.Contains(name) && consequence?.Contains(name) != true);
    }

    private static bool IsOfPattern(SingleVariableDesignationSyntax name) => name.Parent is not DeclarationExpressionSyntax;

    private static StatementSyntax? Last(StatementSyntax body) => body is BlockSyntax block ? block.Statements.LastOrDefault() : body;

    private bool Refuses(StatementSyntax? last) =>
        last is ThrowStatementSyntax || (last is ReturnStatementSyntax { Expression: { } answer } && Fails(answer, isAnswer: true));

    /// <summary>An answer that says no.</summary>
    private bool Fails(ExpressionSyntax answer, bool isAnswer) =>
        answer is ThrowExpressionSyntax || (isAnswer && !throwsOnly && answer.ToString() is "null" or "false" or "default" or "-1");

    private static bool IsEquality(ExpressionSyntax part) =>
        part.IsKind(SyntaxKind.EqualsExpression)
        || (part is InvocationExpressionSyntax call && call.Expression.ToString().EndsWith(".SequenceEqual", StringComparison.Ordinal));

    private static bool IsFunction(SyntaxNode node) =>
        node
            is BaseMethodDeclarationSyntax
                or LocalFunctionStatementSyntax
                or AnonymousFunctionExpressionSyntax
                or AccessorDeclarationSyntax;

    private static bool IsBool(SyntaxNode? function) =>
        function switch
        {
            MethodDeclarationSyntax method => method.ReturnType.ToString() == "bool",
            PropertyDeclarationSyntax property => property.Type.ToString() == "bool",
            LocalFunctionStatementSyntax local => local.ReturnType.ToString() == "bool",
            AccessorDeclarationSyntax accessor => IsBool(accessor.FirstAncestorOrSelf<PropertyDeclarationSyntax>()),
            _ => false,
        };

    private static string Member(SyntaxNode node)
    {
        string type = node.FirstAncestorOrSelf<BaseTypeDeclarationSyntax>()?.Identifier.Text ?? "";
        return node.FirstAncestorOrSelf<MemberDeclarationSyntax>() switch
        {
            MethodDeclarationSyntax method => $"{type}.{method.Identifier.Text}",
            PropertyDeclarationSyntax property => $"{type}.{property.Identifier.Text}",
            ConstructorDeclarationSyntax => $"{type}.new",
            BaseTypeDeclarationSyntax => type,
            MemberDeclarationSyntax other => $"{type}.{other.Kind()}",
            null => type,
        };
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
